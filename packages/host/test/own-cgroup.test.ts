import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { folderOf, membershipsIn } from '../src/runtimes/kernel/cgroup-files.ts';
import { monitorPid } from '../src/runtimes/lxc/processes.ts';
import { until } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

let daemon: TestDaemon;
let operator: Operator;

beforeAll(async () => {
  daemon = await TestDaemon.start(['--cpu-weight', '1000', '--instance-cpu-weight', '5']);
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox', '--public');
  await operator.launch('c1');
});

afterAll(() => daemon?.destroy());

/** The folder of the cgroup in which a process, or one of its threads, has its weight. */
function cgroupOf(pid: number, thread = pid): string {
  const text = readFileSync(`/proc/${pid}/task/${thread}/cgroup`, 'utf8');
  const all = membershipsIn(text);
  const old = all.find(({ controllers }) => controllers.includes('cpu'));
  return old
    ? folderOf('cpu', old.path)
    : folderOf('', all.find(({ controllers }) => controllers[0] === '')?.path ?? '');
}

/** In percent of the usual weight. */
function weightOf(folder: string): number {
  const old = `${folder}/cpu.shares`;
  if (existsSync(old)) return Math.round((Number(readFileSync(old, 'utf8')) * 100) / 1024);
  return Number(readFileSync(`${folder}/cpu.weight`, 'utf8'));
}

const ownCgroup = () => `${dirname(cgroupOf(daemon.pid))}/portholed.${daemon.pid}`;

it('the daemon has a cgroup of its own with its weight, and the instance has the weight of instances', async () => {
  expect(cgroupOf(daemon.pid)).toBe(ownCgroup());
  expect([weightOf(ownCgroup()), weightOf(cgroupOf(await operator.pid('c1')))]).toEqual([1000, 5]);
});

it('nothing that works for an instance is in it: its LXC, its processes, a command, and what starts them', async () => {
  const init = await operator.pid('c1');
  const monitor = monitorPid(init) as number;
  const inside = (await operator.sh('c1', 'cat /proc/self/cgroup')).includes('portholed.');
  expect(inside).toBe(false);
  const command = daemon.inside(
    'c1',
    'sh',
    '-c',
    'touch /run/begun; while [ ! -e /run/end ]; do sleep 0.1; done',
  );
  await until('the command runs', async () => (await operator.sh('c1', 'ls /run')).includes('begun'));
  const procs = readFileSync(`${ownCgroup()}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
  expect(procs).toContain(daemon.pid);
  expect(procs).not.toContain(init);
  expect(procs).not.toContain(monitor);
  const names = procs.map((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
  expect(names.filter((name) => name.startsWith('lxc'))).toEqual([]);
  await operator.sh('c1', 'touch /run/end');
  expect((await command).code).toBe(0);
});

it('stays in it over a restart in place, and leaves nothing at its end', async () => {
  const own = ownCgroup();
  await daemon.restartInPlace();
  expect(cgroupOf(daemon.pid)).toBe(own);
  await operator.state('c1', 'restart', { force: true });
  expect(cgroupOf(await operator.pid('c1'))).not.toContain('portholed.');
  await daemon.stop();
  expect(existsSync(own)).toBe(false);
  await daemon.start();
  expect(cgroupOf(daemon.pid)).toBe(ownCgroup());
});

it('the next daemon removes the one of a daemon that was killed', async () => {
  const own = ownCgroup();
  await daemon.kill();
  await daemon.start();
  await until('it is removed', () => !existsSync(own));
  expect(cgroupOf(daemon.pid)).toBe(ownCgroup());
});
