import { lstatSync } from 'node:fs';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { run } from '../src/process/run.ts';
import { until } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

let daemon: TestDaemon;
let operator: Operator;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox');
  await operator.launch('p', { config: { 'security.privileged': 'true' } });
  await operator.launch('b', { config: { 'user.who': 'b' } });
  await operator.sh('p', 'mount -o remount,rw,bind /dev/lxd /dev/lxd');
});
afterAll(() => daemon?.destroy());

it('a command in a privileged instance can open its standard streams by their names', async () => {
  const script = 'cat /dev/stdin; echo out >/dev/stdout; echo err >/dev/stderr';
  const ran = await operator.exec('p', ['sh', '-c', script], { stdin: 'in\n' });
  expect(ran).toMatchObject({ stdout: 'in\nout\n', stderr: 'err\n', code: 0 });
});

const facts = () => {
  const found = lstatSync(daemon.guestSocket, { throwIfNoEntry: false });
  return found && [found.ino, found.mode & 0o7777];
};

it.each([
  ['removes', 'rm /dev/lxd/sock'],
  ['locks', 'chmod 0 /dev/lxd/sock'],
  ['hides', 'chmod 0 /dev/lxd && rm /dev/lxd/sock'],
])('the shared socket is put back when a privileged instance %s it', async (_, attack) => {
  const before = facts();
  await operator.sh('p', attack);
  await untilItIs(before);
});

it('the shared socket is put back when a privileged instance replaces it by a folder', async () => {
  const before = facts();
  const inside = ['nsenter', `--mount=/proc/${await operator.pid('p')}/ns/mnt`, 'sh', '-c'] as const;
  const attack =
    'mkdir /dev/lxd/d && touch /dev/lxd/d/mine && rm /dev/lxd/sock && mv -T /dev/lxd/d /dev/lxd/sock';
  // A daemon that runs is often faster than the second move.
  process.kill(daemon.pid, 'SIGSTOP');
  const done = await run(inside[0], [...inside.slice(1), attack]).finally(() =>
    process.kill(daemon.pid, 'SIGCONT'),
  );
  expect(done.failure).toBe('');
  await untilItIs(before);
});

async function untilItIs(before: ReturnType<typeof facts>): Promise<void> {
  await until('it is back', () => JSON.stringify(facts()) === JSON.stringify(before));
  expect(await operator.sh('b', 'devlxd /1.0/config/user.who')).toBe('b');
}

it('the log says that the socket was changed', () => {
  expect(daemon.log.map(({ msg }) => msg)).toContain(
    'a privileged instance has changed the socket of the guest API: it was put back',
  );
});

it('the socket is the same after a restart in place, and removed when the daemon stops', async () => {
  const before = facts();
  await daemon.restartInPlace();
  // The next daemon has made the folder read-only again.
  await operator.sh('p', 'mount -o remount,rw,bind /dev/lxd /dev/lxd && rm /dev/lxd/sock');
  await until('it is back', () => JSON.stringify(facts()) === JSON.stringify(before));
  expect(await daemon.stop()).toBe(0);
  expect(facts()).toBe(undefined);
});
