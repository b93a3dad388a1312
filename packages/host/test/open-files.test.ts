import { expect, test as it } from 'vitest';
import { openFilesFor, openFilesMax } from '../src/native/rlimit.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

const MOST = 1_048_576;
const OPEN_FILES = "awk '/open files/ { print $4, $5 }' /proc/1/limits; ulimit -Sn; ulimit -Hn";

/** Without CAP_SYS_RESOURCE, as in a container, the daemon's own hard limit is the most that it can give. */
const most = openFilesFor(MOST);
const own = openFilesMax();

it.each([
  [`1024:${own}`, most],
  ['2048:2048', most > own ? most : 2048],
])('under a daemon started with the limit %s, an instance may open %i files', async (limit, expected) => {
  await using daemon = await TestDaemon.start(['--lxcfs', 'off'], ['prlimit', `--nofile=${limit}`]);
  const operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox');
  await operator.launch('c1');
  expect(await operator.sh('c1', OPEN_FILES)).toBe(`${expected} ${expected}\n${expected}\n${expected}`);
  await operator.launch('c2', { config: { 'limits.kernel.nofile': '512:1024' } });
  expect(await operator.sh('c2', OPEN_FILES)).toBe('512 1024\n512\n1024');
});
