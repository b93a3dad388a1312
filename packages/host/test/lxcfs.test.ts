import { join } from 'node:path';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { run } from '../src/process/run.ts';
import { until } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';
import { TestLxcfs } from './harness/lxcfs.ts';
import { Operator } from './harness/operator.ts';

const MIB = 1024;

/** Less than LXC would wait for an lxcfs that hangs, and enough for a start on a busy machine. */
const START_MS_MAX = 30_000;

const WARNING = "lxcfs does not answer: an instance starts with the host's figures";
const FAILED = "the host's, from the next start on (lxcfs does not answer)";

let lxcfs: TestLxcfs;
let daemon: TestDaemon;
let operator: Operator;

beforeAll(async () => {
  lxcfs = await TestLxcfs.start();
  daemon = await TestDaemon.start(['--lxcfs', lxcfs.point]);
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox');
  await operator.launch('c1', { config: { 'limits.memory': '100MiB', 'limits.cpu': '1' } });
});
afterAll(async () => {
  await daemon?.destroy();
  await lxcfs?.[Symbol.asyncDispose]();
});

/** KiB of memory that an instance sees. */
const memory = async (name: string) =>
  Number(await operator.sh(name, "awk '/^MemTotal:/ { print $2 }' /proc/meminfo"));
const info = async () =>
  /^Memory, processors and uptime of instances: (.*)$/m.exec(await daemon.must('info'))?.[1];

it('an instance sees its own memory, processors and uptime', async () => {
  expect(daemon.log.filter(({ msg }) => msg === WARNING)).toEqual([]);
  expect(await memory('c1')).toBe(100 * MIB);
  expect(await operator.sh('c1', 'grep -c ^processor /proc/cpuinfo; grep -c ^cpu[0-9] /proc/stat')).toBe(
    '1\n1',
  );
  expect(Number(await operator.sh('c1', 'cut -d. -f1 /proc/uptime'))).toBeLessThan(60);
  expect(await operator.sh('c1', 'ls /sys/devices/system/cpu')).toContain('online');
  expect(await info()).toBe('their own (by lxcfs)');
});

it('a changed limit is seen at once', async () => {
  await operator.patch('c1', { config: { 'limits.memory': '120MiB' } });
  expect(await memory('c1')).toBe(120 * MIB);
});

it('a privileged instance sees its own memory', async () => {
  await operator.launch('p1', { config: { 'limits.memory': '64MiB', 'security.privileged': 'true' } });
  expect(await memory('p1')).toBe(64 * MIB);
});

it.each([
  ['hangs', 'SIGSTOP'],
  ['has died', 'SIGKILL'],
] as const)("if lxcfs %s, an instance starts soon, with the host's figures", async (_, signal) => {
  const name = `after-${signal.toLowerCase()}`;
  await operator.create(name, { config: { 'limits.memory': '100MiB' } });
  // The kernel knows the attributes of its files now, for a second.
  await memory('c1');
  await run('ls', ['-l', join(lxcfs.point, 'proc')]);
  lxcfs.signal(signal);
  const begun = performance.now();
  const started = operator.state(name, 'start');
  expect(await operator.sh('c1', 'echo served')).toBe('served');
  await started;
  expect(performance.now() - begun).toBeLessThan(START_MS_MAX);
  expect(await memory(name)).toBeGreaterThan(120 * MIB);
  await until('info says it', async () => (await info()) === FAILED);
  expect(daemon.log.map(({ msg }) => msg)).toContain(WARNING);
  await operator.state('c1', 'restart', { force: true });
  lxcfs.signal('SIGCONT');
});
