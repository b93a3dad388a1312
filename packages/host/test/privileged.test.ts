import { lstatSync } from 'node:fs';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
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

const facts = () => {
  const found = lstatSync(daemon.guestSocket, { throwIfNoEntry: false });
  return found && [found.ino, found.mode & 0o7777];
};

/** By a folder. The daemon may put the socket back between the two moves: then the attack tries again. */
const REPLACE =
  'mkdir /dev/lxd/d && touch /dev/lxd/d/mine; for n in $(seq 100); do ' +
  'mv /dev/lxd/sock /dev/lxd/s; mv -T /dev/lxd/d /dev/lxd/sock && exit 0; done 2>/dev/null; exit 1';

it.each([
  ['removes', 'rm /dev/lxd/sock'],
  ['locks', 'chmod 0 /dev/lxd/sock'],
  ['replaces', REPLACE],
  ['hides', 'chmod 0 /dev/lxd && rm /dev/lxd/sock'],
])('the shared socket is put back when a privileged instance %s it', async (_, attack) => {
  const before = facts();
  await operator.sh('p', attack);
  await until('it is back', () => JSON.stringify(facts()) === JSON.stringify(before));
  expect(await operator.sh('b', 'devlxd /1.0/config/user.who')).toBe('b');
});

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
