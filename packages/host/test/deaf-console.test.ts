import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { attachConsole } from '../src/client/console.ts';
import { cgroupFolders } from '../src/runtimes/lxc/cgroups.ts';
import { waitingWrite } from '../src/runtimes/lxc/hung-write.ts';
import { monitorPid } from '../src/runtimes/lxc/processes.ts';
import { runOnPty } from '../src/runtimes/lxc/pty-process.ts';
import { until } from './harness/api.ts';
import { mountsBelow, TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

/** Never reads its console. */
const DEAF = { config: { 'raw.lxc': 'lxc.init.cmd = /bin/sleep 100000' } };
/** Time limit for a forced stop. LXC itself would never end. */
const STOP_MS = 15_000;
const LINES = 'all work and no play\n'.repeat(10_000);

let daemon: TestDaemon;
let operator: Operator;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox');
  await operator.launch('c1', DEAF);
});

afterAll(async () => {
  await daemon?.destroy();
  expect(mountsBelow(daemon.stateDir)).toEqual([]);
});

const monitor = async () => monitorPid(await operator.pid('c1')) as number;

async function stopsByForce(): Promise<void> {
  const began = performance.now();
  await operator.state('c1', 'stop', { force: true });
  expect(performance.now() - began).toBeLessThan(STOP_MS);
  await operator.state('c1', 'start');
}

it('stops and starts an instance even if LXC hangs in a write of unread input', async () => {
  const args = ['-q', '-P', join(daemon.stateDir, 'instances'), '-n', '1', '-t', '0'];
  const other = runOnPty('lxc-console', args, { cwd: '/', width: 80, height: 24, term: 'xterm' });
  await new Promise<void>((resolve) => other.onOutput(() => resolve()));
  other.write(Buffer.from(LINES));
  const pid = await monitor();
  await until('it hangs', () => waitingWrite(pid) !== null);
  await stopsByForce();
  other.kill();
}, 60_000);

it('an instance whose LXC is killed leaves no cgroups', async () => {
  const [init, pid] = [await operator.pid('c1'), await monitor()];
  const folders = [...cgroupFolders(init, 1), ...cgroupFolders(pid, 1)];
  expect(folders.filter((folder) => existsSync(folder)).length).toBeGreaterThan(1);
  process.kill(pid, 'SIGKILL');
  await until('its end is seen', async () => (await operator.statuses())['c1'] === 'Stopped');
  expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
  await operator.state('c1', 'start');
}, 60_000);

it('an instance whose LXC is killed while no daemon runs leaves no cgroups either', async () => {
  await daemon.must('config', 'set', 'c1', 'boot.autostart=false');
  const pids = [await operator.pid('c1'), await monitor()];
  const folders = pids.flatMap((pid) => cgroupFolders(pid, 1));
  const there = () => folders.filter((folder) => existsSync(folder));
  await daemon.kill();
  for (const pid of pids.toReversed()) process.kill(pid, 'SIGKILL');
  await until('both have ended', () => !pids.some((pid) => existsSync(`/proc/${pid}`)));
  expect(there().length).toBeGreaterThan(1);
  await daemon.start();
  await until('its cgroups are removed', () => there().length === 0);
  expect((await operator.statuses())['c1']).toBe('Stopped');
  await operator.state('c1', 'start');
}, 60_000);

it('drops unread input, so that LXC answers', async () => {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  stdout.resume();
  const session = await attachConsole(operator.client, 'c1', { width: 80, height: 24 }, stdin, stdout);
  const pid = await monitor();
  stdin.write(LINES);
  await until('LXC waits', () => waitingWrite(pid) !== null);
  await until('LXC goes on', () => waitingWrite(pid) === null);
  expect(await operator.sh('c1', 'echo fine')).toBe('fine');
  expect(waitingWrite(pid)).toBeNull();
  session.detach();
  await session.ended;
  await stopsByForce();
}, 60_000);
