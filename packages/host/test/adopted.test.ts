import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Container, withContainer } from '../src/core/container.ts';
import type { InstanceStateJson } from '../src/wire/instance.ts';
import { ask, until } from './harness/api.ts';
import { CgroupFolders } from './harness/cgroup-folders.ts';
import { Crowd } from './harness/crowd.ts';
import { TestDaemon } from './harness/daemon.ts';
import { FOREIGN_ADDRESS, ForeignContainer } from './harness/foreign.ts';
import { Operator } from './harness/operator.ts';
import { ask as askHost, refusalOf } from './harness/raw.ts';

let daemon: TestDaemon;
let operator: Operator;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
});
afterAll(async () => {
  await daemon?.destroy();
  expect(existsSync(daemon.stateDir)).toBe(false);
});

/** A container as another runtime would start it. */
const foreign = (firstUid = 400_000) => Crowd.make(1, firstUid);

const value = async (init: number) => (await ask(daemon, { init }, '/1.0/config/user.id')).body;
const refused = async (method: string, path: string, json: unknown) =>
  refusalOf(daemon, await askHost(daemon, method, path, JSON.stringify(json)));

describe('adopting a container of another runtime', () => {
  it('serves it until it ends, and serves its next process under the same name', async () => {
    const first = await foreign();
    await daemon.must('adopt', 'web', '--pid', String(first.pid()), '-c', 'user.id=web');
    expect(await value(first.pid())).toBe('web');
    expect(await operator.statuses()).toMatchObject({ web: 'Running' });
    expect(await operator.pid('web')).toBe(first.pid());
    await operator.patch('web', { config: { 'user.id': 'web2' } });
    expect(await value(first.pid())).toBe('web2');
    await first[Symbol.asyncDispose]();
    await until('it is seen to have ended', async () => (await operator.statuses())['web'] === 'Stopped');

    const second = await foreign(500_000);
    expect(await value(second.pid())).toBe('Process ID not found in container\n');
    await daemon.must('adopt', 'web', '--pid', String(second.pid()));
    expect(await value(second.pid())).toBe('web2');
    await daemon.must('delete', 'web', '--force');
    expect(await value(second.pid())).toBe('Process ID not found in container\n');
    expect(existsSync(`/proc/${second.pid()}`)).toBe(true);
    await second[Symbol.asyncDispose]();
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'survives the end of a daemon by %s: the next one recognises it, or notices that it has ended',
    async (signal) => {
      const [stays, ends] = [await foreign(), await foreign(500_000)];
      const adopt = (name: string, pid: number) =>
        operator.client.change('POST', '/1.0/instances', {
          json: { name, source: { type: 'adopt', pid }, config: { 'user.id': name } },
        });
      await adopt('stays', stays.pid());
      await adopt('ends', ends.pid());
      await daemon.stop(signal);
      await ends[Symbol.asyncDispose]();
      await daemon.start();
      expect(await operator.statuses()).toMatchObject({ stays: 'Running', ends: 'Stopped' });
      expect(await value(stays.pid())).toBe('stays');
      await stays[Symbol.asyncDispose]();
      await until('the other end', async () => (await operator.statuses())['stays'] === 'Stopped');
      for (const name of ['stays', 'ends']) await operator.delete(name);
    },
  );

  it('deletes an ephemeral instance when its container ends', async () => {
    const process = await foreign();
    await daemon.must('adopt', 'brief', '--ephemeral', '--pid', String(process.pid()));
    await process[Symbol.asyncDispose]();
    await until('it is gone', async () => !('brief' in (await operator.statuses())));
  });

  it('refuses changes that only the other runtime can make, and leaves the processes alone', async () => {
    const process = await foreign();
    await daemon.must('adopt', 'theirs', '--pid', String(process.pid()));
    const at = '/1.0/instances/theirs';
    const theirs = 'The instance is run by another runtime: ';
    const state = (action: string) => refused('PUT', `${at}/state`, { action, timeout: 0, force: true });
    expect(await state('stop')).toEqual({
      status: 400,
      error: `${theirs}stop it there, or delete it here, which leaves its processes alone`,
    });
    expect((await state('restart')).error).toContain(`${theirs}restart it there`);
    expect((await refused('POST', `${at}/exec`, { command: ['true'] })).error).toBe(
      `${theirs}run commands with it`,
    );
    const disk = { type: 'disk', source: '/usr', path: '/mnt' };
    expect((await refused('PATCH', at, { devices: { docs: disk } })).error).toBe(
      'Failed add validation for device "docs": Device "docs" of an adopted instance can be mounted only by its own runtime',
    );
    expect((await refused('PATCH', at, { config: { 'limits.memory': '1GiB' } })).error).toBe(
      'Invalid config: "limits.memory" of an adopted instance can be set only by its own runtime',
    );
    expect(existsSync(`/proc/${process.pid()}`)).toBe(true);
    await process[Symbol.asyncDispose]();
    await until('it is seen to have ended', async () => (await operator.statuses())['theirs'] === 'Stopped');
    expect((await state('start')).error).toBe(`${theirs}start it there, then adopt its new process`);
    await operator.delete('theirs');
  });

  it('ignores another process that an operator puts into volatile.adopted', async () => {
    const process = await foreign();
    await daemon.must('adopt', 'kept', '--pid', String(process.pid()), '-c', 'user.id=kept');
    const before = (await operator.get('kept')).config['volatile.adopted'];
    await operator.client.change('PUT', '/1.0/instances/kept', {
      json: { config: { 'user.id': 'put', 'volatile.adopted': '1:1:00000000-0000-0000-0000-000000000000' } },
    });
    expect((await operator.get('kept')).config['volatile.adopted']).toBe(before);
    await daemon.restart();
    expect(await value(process.pid())).toBe('put');
    await daemon.must('delete', 'kept', '--force');
    await process[Symbol.asyncDispose]();
  });

  it.each<[string, () => Promise<number> | number, RegExp]>([
    ['no process', () => 2 ** 22 - 1, /There is no process 4194303/],
    ['a process of the host', () => process.pid, /is in the PID namespace of the host/],
    ['the daemon', () => daemon.pid, /is in the PID namespace of the host/],
  ])('refuses %s', async (_what, pid, why) => {
    const json = { name: 'nope', source: { type: 'adopt', pid: await pid() } };
    expect((await refused('POST', '/1.0/instances', json)).error).toMatch(why);
    expect('nope' in (await operator.statuses())).toBe(false);
  });

  it('refuses a process that is not the first of its namespace, and one that belongs to an instance', async () => {
    const process = await foreign();
    const json = (pid: number) => ({ name: 'twice', source: { type: 'adopt', pid } });
    const enter = ['-t', String(process.pid()), '-U', '-p', '-S', '0', '-G', '0', '--'];
    const inner = spawn('nsenter', [...enter, 'sleep', 'infinity'], { stdio: 'ignore' });
    const children = () => readFileSync(`/proc/${inner.pid}/task/${inner.pid}/children`, 'utf8').trim();
    await until('a second process', () => children() !== '');
    const second = Number(children());
    expect((await refused('POST', '/1.0/instances', json(second))).error).toMatch(/is not the first of/);
    await daemon.must('adopt', 'once', '--pid', String(process.pid()));
    expect((await refused('POST', '/1.0/instances', json(process.pid()))).error).toMatch(
      /its PID namespace belongs to the instance "once"/,
    );
    expect(Object.keys(await operator.statuses())).not.toContain('twice');
    await daemon.must('delete', 'once', '--force');
    await process[Symbol.asyncDispose]();
  });
});

describe('the resources of an adopted instance', () => {
  const NAME = `porthole-test-adopted-${process.pid}`;
  const stateOf = (name: string) => operator.client.get<InstanceStateJson>(`/1.0/instances/${name}/state`);
  const usageOf = async (name: string) => {
    const { processes, memory, cpu } = await stateOf(name);
    return [processes, memory.usage, memory.usage_peak, cpu.usage];
  };
  const isCounted = async () => (await usageOf('web')).every((figure) => figure > 0);

  it('are those of its own cgroups, and of its own network', async () => {
    await using container = await ForeignContainer.start(NAME);
    await daemon.must('adopt', 'web', '--pid', String(container.pid));
    await until('its work is counted', isCounted);
    expect((await stateOf('web')).processes).toBeLessThan(5);
    const { network } = await stateOf('web');
    expect(Object.keys(network ?? {}).sort()).toEqual(['eth0', 'eth1', 'lo']);
    expect(network?.['eth0']).toMatchObject({ type: 'broadcast', state: 'up' });
    expect(network?.['eth0']?.addresses).toContainEqual(
      expect.objectContaining({ family: 'inet', address: FOREIGN_ADDRESS, netmask: '24' }),
    );
    const info = await daemon.must('info', 'web');
    expect(info).toMatch(/Memory \(current\): [1-9]/);
    expect(info).toContain(`inet:  ${FOREIGN_ADDRESS}/24 (global)`);
    const list = await daemon.must('list', '-f', 'compact');
    expect(list).toMatch(/^NAME .*RUNTIME\nweb .*10\.99\.0\.2 \(eth0\).* other$/m);
    await daemon.must('delete', 'web', '--force');
  });

  it('are those of its whole cgroup, when its init has moved into one below', async () => {
    await using container = await ForeignContainer.start(NAME);
    await daemon.must('adopt', 'web', '--pid', String(container.pid));
    const below = new CgroupFolders(`${NAME}/init.scope`);
    below.make();
    below.enter(container.pid);
    await until('its work is counted', isCounted);
    await daemon.must('delete', 'web', '--force');
  });

  it('are not known while another process is in its cgroup, or below it', async () => {
    await using container = await ForeignContainer.start(NAME);
    await daemon.must('adopt', 'web', '--pid', String(container.pid));
    await until('its work is counted', isCounted);
    const other = spawn('sleep', ['infinity']);
    try {
      container.cgroups.enter(other.pid ?? 0);
      expect(await usageOf('web')).toEqual([0, 0, 0, 0]);
      const below = new CgroupFolders(`${NAME}/below`);
      below.make();
      below.enter(other.pid ?? 0);
      expect(await usageOf('web')).toEqual([0, 0, 0, 0]);
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
    await until('it is alone again', isCounted);
    await daemon.must('delete', 'web', '--force');
  });

  it('have processes of PID namespaces below its own', async () => {
    await using container = await ForeignContainer.start(NAME);
    await daemon.must('adopt', 'web', '--pid', String(container.pid));
    const enter = ['-t', String(container.pid), '-U', '-p', '-S', '0', '-G', '0', '--'];
    const inner = spawn('nsenter', [...enter, 'unshare', '-p', '-f', 'sleep', 'infinity'], {
      stdio: 'ignore',
    });
    const childOf = async (pid: number | undefined) => {
      const children = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
      await until(`a child of ${pid}`, () => children() !== '');
      return Number(children());
    };
    container.cgroups.enter(await childOf(await childOf(inner.pid)));
    await until('its work is counted', isCounted);
    await daemon.must('delete', 'web', '--force');
  });

  it('are not known in the cgroup and the network of the host', async () => {
    const container = await foreign();
    await daemon.must('adopt', 'web', '--pid', String(container.pid()));
    expect(await usageOf('web')).toEqual([0, 0, 0, 0]);
    expect((await stateOf('web')).network).toBeNull();
    await daemon.must('delete', 'web', '--force');
    await container[Symbol.asyncDispose]();
  });
});

describe('an adopted instance whose container is known', () => {
  const container: Container = {
    ...({
      runtime: 'podman',
      id: 'ab'.repeat(32),
      name: 'web',
      image: 'debian:12',
      digest: 'sha256:cd',
    } as const),
    ...{ labels: { role: 'front' }, owner: '', record: '/run/web' },
  };

  /** Writes into the store of a stopped daemon what the hook of a runtime would have told it. */
  function know(name: string): void {
    const database = new DatabaseSync(join(daemon.stateDir, 'porthole.db'));
    const row = database.prepare('SELECT config FROM instances WHERE name = ?').get(name);
    const config = withContainer(JSON.parse(String(row?.['config'])), container);
    database.prepare('UPDATE instances SET config = ? WHERE name = ?').run(JSON.stringify(config), name);
    database.close();
  }

  it('is shown with it, and refuses actions with the command of its runtime', async () => {
    const process = await foreign();
    await daemon.must('adopt', 'web', '--pid', String(process.pid()));
    await daemon.stop();
    know('web');
    await daemon.start();
    expect(await daemon.must('info', 'web')).toMatch(/\nContainer:\n {2}Runtime: podman\n {2}ID: abab/);
    const table = await daemon.must('list', '-f', 'compact');
    expect(table).toMatch(/ RUNTIME\nweb .* podman\n?$/);
    const at = '/1.0/instances/web';
    const theirs = 'The instance is run by another runtime: ';
    expect((await refused('PUT', `${at}/state`, { action: 'stop', timeout: 30 })).error).toBe(
      `${theirs}stop it with \`podman stop web\``,
    );
    expect((await refused('POST', `${at}/exec`, { command: ['true'] })).error).toBe(
      `${theirs}run commands with \`podman exec web COMMAND\``,
    );
    expect((await refused('DELETE', `${at}/files?path=/etc/passwd`, {})).error).toBe(
      `${theirs}copy files with \`podman cp web:PATH PATH\``,
    );
    expect(existsSync(`/proc/${process.pid()}`)).toBe(true);
    await daemon.must('delete', 'web', '--force');
    await process[Symbol.asyncDispose]();
  });
});
