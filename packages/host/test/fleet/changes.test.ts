import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/process/run.ts';
import { ask, until } from '../harness/api.ts';
import { poll, shows, TestFleet, type TestMember, valuesOf } from '../harness/fleet.ts';
import { LXC_CONFIG, LxcClient } from '../harness/lxc.ts';

// Real etcd and real daemons: changes that reach instances of other members.
let fleet: TestFleet;
let ma: TestMember;
let mb: TestMember;
let conf: string;

beforeAll(async () => {
  LxcClient.need();
  conf = mkdtempSync('/var/tmp/porthole-test-fleet-');
  writeFileSync(join(conf, 'config.yml'), LXC_CONFIG);
  mkdirSync(join(conf, 'given'));
  writeFileSync(join(conf, 'given', 'hello'), 'hello from the host\n');
  fleet = await TestFleet.start({ nodes: 3 });
  ma = await fleet.member('ma', async ({ daemon }) => {
    await daemon.must('image', 'build', 'busybox');
    await daemon.must('profile', 'create', 'web');
    await daemon.must('profile', 'set', 'web', 'user.role=0');
  });
  mb = await fleet.member('mb');
  await ma.daemon.must('launch', 'busybox', 'b1', '-p', 'default', '-p', 'web', '--target', 'mb');
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  rmSync(conf, { recursive: true, force: true });
});

const LEASE_MS = 5_000;
/** etcd looks for ended leases about once a second. */
const EXPIRY_MS = 2_000;

const roleIn = (name: string) => mb.operator.sh(name, 'devlxd /1.0/config/user.role');

/** Runs LXD's client at a member. */
async function lxc({ daemon }: TestMember, ...words: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: conf, LXD_DIR: daemon.stateDir, LXD_CONF: conf };
  const { code, stdout, stderr } = await run('lxc', words, { env, input: '', timeoutMs: 60_000 });
  expect([words, code, stderr]).toEqual([words, 0, stderr]);
  return stdout;
}

describe('a change of a profile', () => {
  it('is in effect in instances elsewhere when the operator has the answer, and is told there as an event', async () => {
    for (let round = 1; round <= 10; round++) {
      const before = await poll(mb, 'b1', 'now');
      await ma.daemon.must('profile', 'set', 'web', `user.role=${round}`);
      const after = await poll(mb, 'b1', before.next);
      expect(valuesOf(after, 'user.role')).toEqual([`${round}`]);
    }
  });

  it('gives a device to a running instance elsewhere, and takes it away', async () => {
    const source = `source=${join(conf, 'given')}`;
    await lxc(ma, 'profile', 'device', 'add', 'web', 'given', 'disk', source, 'path=/mnt');
    expect(await ma.operator.sh('b1', 'cat /mnt/hello')).toBe('hello from the host');
    await lxc(ma, 'profile', 'device', 'remove', 'web', 'given');
    expect(await ma.operator.sh('b1', 'ls /mnt')).toBe('');
  });

  it('by two operators at once at two members overwrites nothing silently', async () => {
    const get = ({ operator }: TestMember) =>
      operator.client.get<{ config: Record<string, string> }>('/1.0/profiles/web');
    for (let round = 0; round < 5; round++) {
      const changes = [ma, mb].map(({ operator, name }) =>
        operator.client.change('PATCH', '/1.0/profiles/web', {
          json: { config: { [`user.${name}`]: `${round}` } },
        }),
      );
      expect((await Promise.allSettled(changes)).map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
      ]);
      for (const at of [ma, mb])
        expect((await get(at)).config).toMatchObject({ 'user.ma': `${round}`, 'user.mb': `${round}` });
    }
  });

  it('with an ETag that is not the newest any more is refused at each member', async () => {
    const { etag } = await ma.operator.client.getTagged('/1.0/profiles/web');
    await mb.daemon.must('profile', 'set', 'web', 'user.role=tagged');
    const put = { json: { config: { 'user.role': 'lost' } }, headers: { 'if-match': etag ?? '' } };
    for (const { operator } of [ma, mb])
      await expect(operator.client.change('PATCH', '/1.0/profiles/web', put)).rejects.toMatchObject({
        status: 412,
      });
    expect(await roleIn('b1')).toBe('tagged');
  });
});

describe('an instance elsewhere', () => {
  it('is changed, run and looked at through any member, with both clients', async () => {
    await lxc(ma, 'config', 'set', 'b1', 'user.from=ma');
    expect(await lxc(ma, 'exec', 'b1', '--', 'devlxd', '/1.0/config/user.from')).toBe('ma');
    expect(await lxc(ma, 'list', '-f', 'csv', '-c', 'nsL')).toBe('b1,RUNNING,mb\n');
    await ma.daemon.must('file', 'push', join(conf, 'given', 'hello'), 'b1/root/hello');
    expect(await lxc(ma, 'file', 'pull', 'b1/root/hello', '-')).toBe('hello from the host\n');
    expect(await ma.daemon.must('info', 'b1')).toContain('Location: mb');
    expect(await lxc(mb, 'cluster', 'list', '-f', 'csv')).toMatch(/^ma,.*ONLINE.*\nmb,.*ONLINE/);
  });

  it('shares its config with each write of its own, so it writes less often the larger that is', async () => {
    const value = 'x'.repeat(4096);
    const keys = Array.from({ length: 36 }, (_, at) => [`guest.k${at}`, value]);
    await ma.operator.patch('b1', {
      config: { 'security.devlxd.guest_config': 'true', ...Object.fromEntries(keys) },
    });
    const init = await mb.operator.pid('b1');
    const put = async () =>
      (await ask(mb.daemon, { init }, '/1.0/config/guest.k1', '-X', 'PUT', '-d', `${performance.now()}`))
        .status;
    expect([await put(), await put()]).toEqual([200, 429]);
    await ma.operator.patch('b1', { config: Object.fromEntries(keys.map(([key]) => [key, null])) });
  });

  it('keeps its positions over a restart of its member, and gets each event once', async () => {
    const before = await poll(mb, 'b1', 'now');
    await ma.daemon.must('profile', 'set', 'web', 'user.role=one');
    await mb.daemon.restartInPlace();
    // Also the first moment after a restart takes changes.
    await mb.operator.patch('b1', { config: { 'user.n': '1' } });
    await ma.daemon.must('profile', 'set', 'web', 'user.role=two');
    await mb.daemon.kill();
    await ma.daemon.must('profile', 'set', 'web', 'user.role=three');
    await mb.daemon.start();
    await until('b1 has the newest value', async () => (await roleIn('b1')) === 'three');
    const after = await poll(mb, 'b1', before.next);
    expect([after.status, valuesOf(after, 'user.role')]).toEqual([200, ['one', 'two', 'three']]);
  });

  it('answers through other members while its daemon restarts in place, and changes wait for it', async () => {
    let isOver = false;
    const looking = (async () => {
      while (!isOver) await ma.operator.get('b1');
    })();
    const changing = (async () => {
      const told = new Set<string>();
      for (let n = 0; !isOver; n++)
        told.add((await ma.daemon.porthole('profile', 'set', 'web', `user.n=${n}`)).stderr);
      return told;
    })();
    await mb.daemon.restartInPlace();
    isOver = true;
    await looking;
    expect([...(await changing)]).toEqual(['']);
  });

  it('of a member that stops answering holds up a change no longer than the lease', async () => {
    process.kill(mb.daemon.pid, 'SIGSTOP');
    try {
      const began = performance.now();
      await ma.daemon.must('profile', 'set', 'web', 'user.role=four');
      expect(performance.now() - began).toBeLessThan(LEASE_MS + EXPIRY_MS);
      await shows(ma, 'mb', 'Offline');
    } finally {
      process.kill(mb.daemon.pid, 'SIGCONT');
    }
    await shows(ma, 'mb', 'Online');
    await until('b1 has the value', async () => (await roleIn('b1')) === 'four');
  });
});

describe('etcd with three nodes', () => {
  it('may lose one: changes go on', async () => {
    await fleet.etcd.node(1).kill();
    await until(
      'a change is taken',
      async () => (await ma.daemon.porthole('profile', 'set', 'web', 'user.role=five')).code === 0,
    );
    await until('b1 has it', async () => (await roleIn('b1')) === 'five');
    fleet.etcd.node(1).start();
    await fleet.etcd.node(1).ready();
  });
});
