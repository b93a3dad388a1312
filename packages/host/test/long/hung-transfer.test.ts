import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { CallerTools } from '../harness/caller.ts';
import { TestDaemon } from '../harness/daemon.ts';
import { Deaf } from '../harness/deaf.ts';
import { Operator } from '../harness/operator.ts';

let daemon: TestDaemon;
let operator: Operator;
let tools: CallerTools;
let deaf: Deaf;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  tools = new CallerTools();
  await daemon.must('image', 'build', 'busybox');
  const fuse = { type: 'unix-char', source: '/dev/fuse', path: '/dev/fuse' };
  await operator.launch('h', { devices: { fuse } });
  deaf = await Deaf.overDev(tools, await operator.pid('h'), 'data');
});

afterAll(async () => {
  await deaf?.end();
  await daemon?.destroy();
  tools?.[Symbol.dispose]();
});

const info = () => daemon.must('info', 'h');

it('a transfer from a file system that hangs ends after a minute, and info shows the hung program', async () => {
  const { code, stderr } = await daemon.porthole('file', 'pull', 'h/dev/data/x', '-');
  expect([code, stderr]).toEqual([1, expect.stringContaining('do not answer')]);
  expect(await info()).toMatch(/^Stuck: 1 /m);
  await deaf.end();
  await expect.poll(info, { timeout: 30_000 }).not.toContain('Stuck');
});
