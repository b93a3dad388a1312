import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test as it, vi } from 'vitest';
import { cgroupsOf } from '../src/runtimes/lxc/cgroups.ts';
import { until } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

// An instance has its weight back when it has been calm for ten seconds.
vi.setConfig({ testTimeout: 60_000 });

const PROGRAM = fileURLToPath(new URL('./programs/storm.pl', import.meta.url));
const LOWERED = 'lowered the weight of an instance in a fork storm';
const RAISED = 'gave an instance its weight back after a fork storm';

/** As the operator sets it, in percent of the usual weight; and what a storm leaves of it. */
const OWN = 70;
const LOW = 5;
const RAW =
  existsSync('/sys/fs/cgroup/cpu/cpu.shares') || existsSync('/sys/fs/cgroup/cpu/tasks')
    ? 'lxc.cgroup.cpu.shares = 717'
    : 'lxc.cgroup2.cpu.weight = 70';

let daemon: TestDaemon;
let operator: Operator;
let storm: Storm | undefined;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox', '--public');
  await operator.launch('c1', { config: { 'raw.lxc': RAW } });
  await operator.launch('c2');
});
afterEach(() => storm?.end());
afterAll(() => daemon?.destroy());

/** Processes of an instance that connect and end. They see the host's files, as those of no real instance do. */
class Storm {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(init: number) {
    const procs = [...new Set(cgroupsOf(init).values())].map((folder) => `${folder}/cgroup.procs`);
    const enter = 'n=$1; shift; while [ $n -gt 0 ]; do echo 0 > "$1"; shift; n=$((n - 1)); done; exec "$@"';
    const inside = ['nsenter', '-t', `${init}`, '-U', '-p', '-S', '0', '-G', '0', '--'];
    const words = [`${procs.length}`, ...procs, ...inside, 'perl', '-e', readFileSync(PROGRAM, 'utf8')];
    this.#child = spawn('sh', ['-c', enter, 'sh', ...words, daemon.guestSocket], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    this.#exited = once(this.#child, 'exit');
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
  }
}

/** Begins a storm in c1. */
async function begin(): Promise<void> {
  storm = new Storm(await operator.pid('c1'));
}

/** In percent of the usual weight. */
async function weightOf(name: string): Promise<number> {
  const groups = cgroupsOf(await operator.pid(name));
  const old = groups.get('cpu');
  if (old !== undefined) return Math.round((Number(readFileSync(`${old}/cpu.shares`, 'utf8')) * 100) / 1024);
  return Number(readFileSync(`${groups.get('')}/cpu.weight`, 'utf8'));
}

/** From this note the next daemon knows the weight. */
const note = () => `${daemon.stateDir}/instances/1/lowered`;
const info = () => daemon.must('info', 'c1');

it('an instance has a low weight while it storms, and its own again later; the others keep theirs', async () => {
  expect([await weightOf('c1'), await weightOf('c2')]).toEqual([OWN, 100]);
  const [lowered, raised] = [daemon.logged(LOWERED), daemon.logged(RAISED)];
  await begin();
  const { instanceId, percent } = await lowered;
  expect([instanceId, percent]).toEqual([1, LOW]);
  expect([await weightOf('c1'), await weightOf('c2')]).toEqual([LOW, 100]);
  expect(await info()).toContain('Fork storm: its weight on busy processors is 5 % of the usual one');
  await storm?.end();
  await raised;
  expect(await weightOf('c1')).toBe(OWN);
  expect(await info()).not.toContain('Fork storm');
});

it('the next daemon gives it back after this one was killed', async () => {
  const lowered = daemon.logged(LOWERED);
  await begin();
  await lowered;
  await daemon.kill();
  await storm?.end();
  expect(existsSync(note())).toBe(true);
  await daemon.start();
  await until('it has its weight back', async () => (await weightOf('c1')) === OWN);
  await until('the note is gone', () => !existsSync(note()));
});

it('a restart in place gives it back, as does the end of the daemon', async () => {
  for (const end of [() => daemon.restartInPlace(), () => daemon.restart()]) {
    const lowered = daemon.logged(LOWERED);
    await begin();
    await lowered;
    expect(await weightOf('c1')).toBe(LOW);
    await storm?.end();
    await end();
    expect(await weightOf('c1')).toBe(OWN);
  }
});

it('a restart of the instance begins with its own weight, and leaves no note', async () => {
  const lowered = daemon.logged(LOWERED);
  await begin();
  await lowered;
  await operator.state('c1', 'restart', { force: true });
  await storm?.end();
  expect(await weightOf('c1')).toBe(OWN);
  expect(existsSync(note())).toBe(false);
});

it('a change of limits.cpu in the meantime does not touch the weight, nor is it undone with it', async () => {
  // Not in c1: with lines of raw.lxc, limits cannot change while an instance runs.
  const lowered = daemon.logged(LOWERED);
  storm = new Storm(await operator.pid('c2'));
  expect((await lowered)['instanceId']).toBe(2);
  await operator.patch('c2', { config: { 'limits.cpu': '0-0' } });
  expect(await weightOf('c2')).toBe(LOW);
  await storm.end();
  await daemon.restartInPlace();
  expect(await weightOf('c2')).toBe(100);
  const cpus = await operator.sh('c2', 'grep Cpus_allowed_list /proc/self/status');
  expect(cpus).toMatch(/\t0$/);
});
