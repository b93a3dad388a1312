// A whole daemon in this process, on a runtime that is not LXC: use cases and APIs have to work with any
// runtime.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostClient } from '../client/host-client.ts';
import { readConfig } from '../config/config.ts';
import { run } from '../process/run.ts';
import { AdoptedRuntime } from '../runtimes/adopted/runtime.ts';
import { Interfaces } from '../runtimes/kernel/interfaces.ts';
import type { InstanceStateJson } from '../wire/instance.ts';
import type { ServerJson } from '../wire/server.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { ProcessRuntime } from './testing/process-runtime.ts';

const runtime = new ProcessRuntime();
let stateDir: string;
let daemon: Daemon;
let client: HostClient;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'porthole-daemon-'));
  const args = ['--state-dir', stateDir, '--log-level', 'error'];
  const invocation = readConfig({ args, env: {} });
  if (invocation.kind !== 'run') throw new Error('it is to run');
  const nothing = { guestConnections: [], hostConnections: [] };
  daemon = await startDaemon(
    invocation.config,
    nothing,
    () => {},
    async ({ watch, devlxd }) => ({
      main: runtime,
      adopter: new AdoptedRuntime(watch, new Interfaces(), devlxd),
      of: () => runtime,
      lxcfs: async () => 'absent',
      stop: () => {},
    }),
  );
  client = new HostClient(join(stateDir, 'unix.socket'));
});
afterAll(async () => {
  runtime.end();
  await daemon?.stop();
  await rm(stateDir, { recursive: true, force: true });
});

const make = (name: string, config: Record<string, string>) =>
  client.change('POST', '/1.0/instances', { json: { name, source: { type: 'none' }, config } });
const setState = (name: string, action: string) =>
  client.change('PUT', `/1.0/instances/${name}/state`, { json: { action, timeout: 30 } });

/** Asks the guest API as root of an instance. */
const ask = (pid: number, path: string) =>
  run('nsenter', [
    ...['--target', String(pid), '--user', '--preserve-credentials', '--pid'],
    ...['--', 'curl', '--silent', '--unix-socket', join(stateDir, 'devlxd/sock'), `http://lxd${path}`],
  ]);

describe('a daemon on another runtime', () => {
  it('names its runtime', async () => {
    const { environment } = await client.get<ServerJson>('/1.0');
    expect(environment).toMatchObject({ driver: 'process', driver_version: '1' });
  });

  it('refuses a key that the runtime cannot apply', async () => {
    await expect(make('large', { 'limits.memory': '1GiB' })).rejects.toThrow(
      'A process has no limits.memory',
    );
    expect(runtime.made.size).toBe(0);
  });

  it('makes an instance, identifies its callers, stops and deletes it', async () => {
    await make('c1', { 'user.role': 'web' });
    await setState('c1', 'start');
    const { pid } = await client.get<InstanceStateJson>('/1.0/instances/c1/state');
    expect(await ask(pid, '/1.0/config/user.role')).toMatchObject({ ok: true, stdout: 'web' });
    await setState('c1', 'stop');
    expect((await client.get<InstanceStateJson>('/1.0/instances/c1/state')).status).toBe('Stopped');
    expect(runtime.made.size).toBe(1);
    await client.change('DELETE', '/1.0/instances/c1');
    expect(runtime.made.size).toBe(0);
  });
});
