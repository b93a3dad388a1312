import { chmodSync, lstatSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { run } from '../src/process/run.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

/** A node of the host as /dev/null is one. Sources are in /dev, and a defect must not harm the host's own nodes. */
const NODE = `/dev/porthole-test-null-${process.pid}`;
const MODE = 0o666;

let daemon: TestDaemon;
let operator: Operator;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox', '--public');
  await run('mknod', [NODE, 'c', '1', '3']);
  chmodSync(NODE, MODE);
  await operator.launch('c1');
  await operator.launch('p1', { config: { 'security.privileged': 'true' } });
});

afterAll(async () => {
  await daemon?.destroy();
  rmSync(NODE, { force: true });
});

function facts(path: string) {
  const { mode, uid, gid, rdev, ino } = lstatSync(path);
  return { mode: mode & 0o7777, uid, gid, rdev, ino };
}

it.each(['c1', 'p1'])('a unix-char device of %s leaves the node of the host as it is', async (name) => {
  const before = facts(NODE);
  const own = { type: 'unix-char', source: NODE, mode: '0600', uid: '7', gid: '8' };
  const unchanged = () => expect(facts(NODE)).toEqual(before);
  await operator.device(name, 'same', { ...own, path: NODE });
  await operator.device(name, 'other', { ...own, path: '/dev/other' });
  unchanged();
  expect(await operator.sh(name, `stat -c "%a %u %g" ${NODE} /dev/other`)).toBe('600 7 8\n600 7 8');
  await operator.sh(name, `chmod 611 ${NODE} /dev/other; chown 9 ${NODE} /dev/other`);
  unchanged();
  await operator.state(name, 'restart', { force: true });
  unchanged();
  await operator.device(name, 'same', null);
  await operator.state(name, 'stop', { force: true });
  await operator.device(name, 'other', null);
  await operator.state(name, 'start');
  unchanged();
});

it('a unix-char device in the place of /dev/null leaves the one of the host as it is', async () => {
  const before = facts('/dev/null');
  for (const name of ['c1', 'p1']) {
    await operator.device(name, 'null', { type: 'unix-char', path: '/dev/null', mode: '0600' });
    await operator.state(name, 'restart', { force: true });
    await operator.device(name, 'null', null);
    await operator.state(name, 'restart', { force: true });
    expect(facts('/dev/null')).toEqual(before);
  }
});

it('/dev/null of a privileged instance is its own, and one of the host that others see cannot be changed', async () => {
  const { dev, ino } = statSync('/dev/null');
  expect(await operator.sh('p1', 'stat -c "%d %i" /dev/null')).not.toBe(`${dev} ${ino}`);
  const before = facts('/dev/null');
  await operator.sh('c1', 'chmod 600 /dev/null; chown 7 /dev/null; true');
  expect(facts('/dev/null')).toEqual(before);
});

it('files that are pushed to a node and pulled to one do not change it', async () => {
  const [before, file] = [facts(NODE), join(daemon.stateDir, 'private')];
  writeFileSync(file, 'text', { mode: 0o600 });
  await operator.device('c1', 'disk', { type: 'disk', source: NODE, path: '/mnt-node' });
  for (const path of ['c1/mnt-node', 'c1/dev/null']) {
    const pushed = await daemon.porthole('file', 'push', '--mode', '0600', file, path);
    expect(pushed).toMatchObject({ code: 1, stderr: expect.stringContaining('not a regular file') });
  }
  await operator.sh('c1', 'echo text > /tmp/private; chmod 600 /tmp/private');
  await daemon.must('file', 'pull', 'c1/tmp/private', NODE);
  expect(facts(NODE)).toEqual(before);
});
