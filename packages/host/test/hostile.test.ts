import { afterAll, beforeAll, expect, it } from 'vitest';
import { close, declare } from '../src/native/libc.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

let daemon: TestDaemon;
let operator: Operator;

/** A descriptor that the daemon inherits, beyond those that Node itself keeps from its children. */
const INHERITED = 300;
const STANDARD_ERROR = 2;

beforeAll(async () => {
  const dup2 = declare('int dup2(int from, int to)');
  dup2(STANDARD_ERROR, INHERITED);
  daemon = await TestDaemon.start();
  close(INHERITED);
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox');
  await operator.launch('c1');
});
afterAll(() => daemon?.destroy());

it('gives an instance no descriptor of the daemon, neither its init nor what is run in it', async () => {
  const open = (pid: string) => operator.sh('c1', `ls /proc/${pid}/fd`);
  const descriptors = [...(await open('1')).split('\n'), ...(await open('self')).split('\n')];
  expect(descriptors).toContain('0');
  expect(descriptors).not.toContain(String(INHERITED));
});
