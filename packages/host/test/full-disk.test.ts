import { existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../src/process/run.ts';
import { ask, until } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

const DISK_BYTES = '96M';
/** More changes than a store without a reserve could write into its last block. */
const CHANGES = 200;
/** Fills space as soon as it becomes free; ends with the instance. */
const GREEDY = 'while :; do cat /dev/zero >> /root/fill; done 2> /dev/null';

/** The disk counts as full below this: a few blocks are always moving from one file to another. */
const FULL_BLOCKS = 8;

let folder: string;
let daemon: TestDaemon;
let operator: Operator;

beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/porthole-disk-');
  daemon = await TestDaemon.start();
  await daemon.stop();
  const disk = join(folder, 'disk');
  for (const [file, ...args] of [
    ['truncate', '-s', DISK_BYTES, disk],
    ['mkfs.ext4', '-q', '-m', '0', disk],
    ['mount', '-o', 'loop', disk, daemon.stateDir],
  ] as const) {
    expect((await run(file, args)).failure).toBe('');
  }
  await daemon.start();
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox');
  await operator.launch('greedy');
  await operator.launch('other', { config: { 'security.devlxd.guest_config': 'true' } });
});
afterAll(async () => {
  await daemon?.destroy();
  rmSync(folder, { recursive: true, force: true });
});

const room = () => statfsSync(daemon.stateDir).bavail;
const isFull = () => expect(room()).toBeLessThan(FULL_BLOCKS);

async function fill(): Promise<void> {
  void operator.exec('greedy', ['sh', '-c', GREEDY]).catch(() => {});
  await until('the disk is full', () => room() < FULL_BLOCKS);
}

/** Changes an instance again and again; each change is stored with its events. */
async function change(): Promise<void> {
  for (let turn = 0; turn < CHANGES; turn++)
    await operator.patch('other', { config: { 'user.n': `${turn}` } });
}

const inside = async (target: string, ...args: string[]) =>
  ask(daemon, { init: await operator.pid('other') }, target, ...args);

it('goes on storing changes of operators and instances while another instance fills the disk', async () => {
  await fill();
  await change();
  expect((await inside('/1.0/config/user.n')).body).toBe(`${CHANGES - 1}`);
  const written = await inside('/1.0/config/guest.a', '-X', 'PUT', '--data-binary', 'full');
  expect(written).toMatchObject({ status: 200, body: '' });
  isFull();
});

it('lets operators run commands inside, and leaves no temporary files', async () => {
  const before = readdirSync(tmpdir());
  const { code, stdout, stderr } = await daemon.inside('other', 'echo', 'here');
  expect([code, stdout, stderr]).toEqual([0, 'here\n', '']);
  expect(
    readdirSync(tmpdir()).filter((name) => !before.includes(name) && name.startsWith('porthole-exec-')),
  ).toEqual([]);
  isFull();
});

it('stops and starts an instance', async () => {
  await operator.state('other', 'stop', { force: true });
  await operator.state('other', 'start');
  expect((await inside('/1.0/config/guest.a')).body).toBe('full');
  isFull();
});

it.each([
  ['was killed', () => daemon.kill()],
  ['was stopped', () => daemon.stop()],
])('starts after it %s, answers instances, and stores changes', async (_, end) => {
  await end();
  isFull();
  await daemon.start();
  expect((await inside('/1.0/config/guest.a')).body).toBe('full');
  await change();
  expect((await inside('/1.0', '-X', 'PATCH', '-d', '{"state":"Ready"}')).status).toBe(200);
  expect((await operator.get('other')).status).toBe('Ready');
  isFull();
});

it('restarts in place', async () => {
  await daemon.restartInPlace();
  await change();
  expect((await inside('/1.0/config/guest.a')).body).toBe('full');
});

it('refuses a change that does not fit, with an error in plain words, and goes on', async () => {
  const value = 'x'.repeat(1_000_000);
  const large = { 'user.1': value, 'user.2': value, 'user.3': value, 'user.4': value };
  await expect(operator.patch('other', { config: large })).rejects.toThrow(
    /^The disk that holds the state is full: /,
  );
  await change();
});

it('deletes the instance that fills the disk, which frees space', async () => {
  await operator.state('greedy', 'stop', { force: true });
  isFull();
  await operator.delete('greedy');
  expect(existsSync(join(daemon.stateDir, 'instances', '1'))).toBe(false);
  await until('there is room', () => room() > FULL_BLOCKS);
  await operator.launch('next');
  expect(await operator.sh('next', 'echo well')).toBe('well');
});
