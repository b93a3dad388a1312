import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runIn } from '../../src/cli/testing/fake-io.ts';
import type { Harness } from '../../src/host/testing/harness.ts';
import { LinkedHosts } from '../../src/host/testing/linked-hosts.ts';
import { run } from '../../src/process/run.ts';
import { LXC_CONFIG, LxcClient, outputOf, spawnLxc } from '../harness/lxc.ts';

const ROOT = { root: { type: 'disk', path: '/', pool: 'default' } };

// Two members with all but real containers and a real etcd, and the stock client at one of them.
let hosts: LinkedHosts;
let ma: Harness;
let mb: Harness;
let conf: string;
let env: Record<string, string>;

beforeEach(async () => {
  LxcClient.need();
  hosts = await LinkedHosts.start('ma', 'mb');
  [ma, mb] = [hosts.host('ma'), hosts.host('mb')];
  conf = mkdtempSync('/var/tmp/porthole-test-lxc-');
  writeFileSync(join(conf, 'config.yml'), LXC_CONFIG);
  mkdirSync(join(conf, 'home'));
  env = { PATH: process.env['PATH'] ?? '', HOME: join(conf, 'home'), LXD_DIR: ma.folder, LXD_CONF: conf };
  for (const { backend } of [ma, mb]) {
    backend.putProfile({ name: 'default', description: '', config: {}, devices: ROOT });
    const { fingerprint } = backend.addImage(['tiny']);
    backend.heart.model.commit([
      { kind: 'put-alias', alias: { name: 'tiny', target: fingerprint, description: '' } },
    ]);
  }
  ma.backend.add('c1');
  mb.backend.add('c2');
});
afterEach(async () => {
  await hosts.stop();
  rmSync(conf, { recursive: true });
});

async function lxc(words: string): Promise<[code: number | null, text: string]> {
  const { code, stdout, stderr } = await run('lxc', words.split(' '), { env, input: '', timeoutMs: 30_000 });
  return [code, stdout + stderr];
}

const must = async (words: string) => {
  const [code, text] = await lxc(words);
  expect([words, code, text]).toEqual([words, 0, text]);
  return text;
};

describe('the stock client at any member', () => {
  it('lists the instances of all members with their location', async () => {
    expect(await must('list -f csv')).toBe('c1,STOPPED,,,CONTAINER,0,ma\nc2,STOPPED,,,CONTAINER,0,mb\n');
    expect((await must('list')).split('\n')[1]).toContain('| LOCATION |');
    expect(await must('list -f csv -c nL')).toBe('c1,ma\nc2,mb\n');
    expect(await must('info c2')).toContain('Location: mb\n');
  });

  it('makes and starts an instance on the target', async () => {
    await must('launch tiny c3 --target mb');
    expect(mb.backend.heart.get('c3').name).toBe('c3');
    expect(await must('list c3 -f csv -c nsL')).toBe('c3,RUNNING,mb\n');
    const operations = (await must('operation list -f csv')).trim().split('\n');
    expect(operations.map((row) => row.split(',').at(-1))).toContain('mb');
  });

  it('makes an instance on the member with the fewest', async () => {
    ma.backend.add('c4');
    await must('init tiny c3');
    expect(await must('list c3 -f csv -c nL')).toBe('c3,mb\n');
  });

  it('changes, renames and deletes an instance without knowing where it is', async () => {
    await must('config set c2 user.a=1');
    expect(mb.backend.heart.get('c2').config['user.a']).toBe('1');
    expect(await must('config get c2 user.a')).toBe('1\n');
    await must('rename c2 c5');
    await must('delete c5');
    expect(await must('list -f csv -c n')).toBe('c1\n');
  });

  it('shows the events of all members, with the location of each', async () => {
    const monitor = spawnLxc(env, 'monitor', '--type=lifecycle', '--format=json');
    const output = outputOf(monitor);
    const told = (name: string) =>
      output.text.split('\n').filter((line) => line.includes(`instances/${name}"`));
    try {
      // The client is silent until the first event.
      await vi.waitFor(
        async () => {
          await must('config set c1 user.a=1');
          await must('config set c2 user.a=1');
          expect(Math.min(told('c1').length, told('c2').length)).toBeGreaterThan(0);
        },
        { timeout: 20_000 },
      );
    } finally {
      monitor.kill();
    }
    expect(JSON.parse(told('c1')[0] as string)).toMatchObject({ location: 'ma' });
    expect(JSON.parse(told('c2')[0] as string)).toMatchObject({ location: 'mb' });
  });

  it('shows instances of a member that is offline as ERROR, and refuses to change them', async () => {
    hosts.setOnline('mb', false);
    expect(await must('list -f csv -c nsL')).toBe('c1,STOPPED,ma\nc2,ERROR,mb\n');
    const refused = [1, expect.stringContaining('Member "mb" of the fleet does not answer')];
    for (const words of [
      'config set c2 user.a=1',
      'delete c2',
      'init tiny c3 --target mb',
      'info --target mb',
    ])
      expect([words, ...(await lxc(words))]).toEqual([words, ...refused]);
    await must('config set c1 user.a=1');
  });

  it('moves no instance, and shows the daemon and the pool of a member', async () => {
    expect(await lxc('move c2 --target ma')).toEqual([
      1,
      'Error: Migration API failure: Instance "c2" is on member "mb": Porthole does not move instances\n',
    ]);
    expect((await lxc('move c2 --target mb'))[1]).toContain(
      'Migration is not supported: an instance stays on its host',
    );
    expect(await must('info --target mb')).toContain('server_name: mb\n');
    expect(await must('storage show default --target mb')).toContain('source: ');
    expect((await lxc('info --target mc'))[1]).toBe('Error: The fleet has no member "mc"\n');
  });
});

describe('porthole at any member', () => {
  const porthole = (words: string) => runIn(ma.folder, words.split(' '));

  it('lists, makes and shows what is elsewhere', async () => {
    expect((await porthole('launch tiny c3 --target mb')).code).toBe(0);
    expect((await porthole('list -f csv')).stdout).toBe(
      [
        'c1,STOPPED,,,CONTAINER,0,ma',
        'c2,STOPPED,,,CONTAINER,0,mb',
        'c3,RUNNING,10.0.0.2 (eth0),,CONTAINER,0,mb',
        '',
      ].join('\n'),
    );
    expect((await porthole('info c3')).stdout).toContain('\nLocation: mb\n');
    expect((await porthole('info --target mb')).stdout).toContain('\nFleet: member mb of ma, mb\n');
    expect((await porthole('operation list -f csv')).stdout).toContain(',mb\n');
    const members = JSON.parse((await porthole('cluster list -f json')).stdout);
    expect(members.map((one: { porthole: { instances: number } }) => one.porthole.instances)).toEqual([1, 2]);
  });
});
