import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../src/process/run.ts';
import { ask } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

const DISK_BYTES = '96M';

let folder: string;
let daemon: TestDaemon;
let operator: Operator;
let initPid: number;

const must = async (file: string, ...args: string[]) => {
  const { ok, stdout, failure } = await run(file, args);
  if (!ok) throw new Error(failure);
  return stdout.trim();
};

/** Triggers a file system error: the kernel then makes the disk read-only. */
async function failDisk(disk: string): Promise<void> {
  const device = await must('losetup', '--noheadings', '--output', 'NAME', '--associated', disk);
  writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, '1');
}

beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/porthole-disk-');
  daemon = await TestDaemon.start();
  await daemon.stop();
  const disk = join(folder, 'disk');
  await must('truncate', '-s', DISK_BYTES, disk);
  await must('mkfs.ext4', '-q', '-m', '0', disk);
  await must('mount', '-o', 'loop,errors=remount-ro', disk, daemon.stateDir);
  await daemon.start();
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox');
  await operator.launch('c1', { config: { 'user.a': '1', 'security.devlxd.guest_config': 'true' } });
  initPid = await daemon.initPid('c1');
  await failDisk(disk);
});
afterAll(async () => {
  await daemon?.kill();
  // LXC's tools do not work any more, because they cannot write a log.
  if (initPid) process.kill(initPid, 'SIGKILL');
  await daemon?.destroy();
  rmSync(folder, { recursive: true, force: true });
});

const inside = async (target: string, ...args: string[]) =>
  ask(daemon, { init: await operator.pid('c1') }, target, ...args);

it('with a read-only disk, the daemon still answers instances', async () => {
  expect(await inside('/1.0/config/user.a')).toMatchObject({ status: 200, body: '1' });
  expect((await inside('/1.0/events?since=0&limit=1')).status).toBe(200);
});

it('a change fails with an error, and changes nothing', async () => {
  const set = await daemon.porthole('config', 'set', 'c1', 'user.a=2');
  expect(set).toMatchObject({ code: 1, stderr: expect.stringContaining('could not be stored') });
  expect((await inside('/1.0/config/guest.a', '-X', 'PUT', '--data-binary', 'x')).status).toBe(500);
  expect((await inside('/1.0/config/user.a')).body).toBe('1');
});

it('operators can still list their instances', async () => {
  expect(await daemon.must('list', '-f', 'csv', '-c', 'ns')).toContain('c1,RUNNING');
});

it('the daemon refuses a restart in place, goes on, and says why', async () => {
  const said = daemon.logged('this one goes on');
  process.kill(daemon.pid, 'SIGHUP');
  expect(await said).toMatchObject({ failure: expect.stringContaining('EROFS') });
  expect((await inside('/1.0/config/user.a')).body).toBe('1');
});

it('the next daemon does not start, and says that the file system is read-only', async () => {
  await daemon.kill();
  await expect(daemon.start()).rejects.toThrow(/The state directory cannot be used: EROFS/);
});
