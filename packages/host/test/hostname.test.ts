import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test as it } from 'vitest';
import { run } from '../src/process/run.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

/** Adds /etc/hostname to the busybox image, or a link to another file in its place. */
const MAKE = `set -e
  cd "$0" && tar -xzf "$1" && printf 'image\\n' > rootfs/etc/hostname
  tar -cf file.tar metadata.yaml rootfs
  rm rootfs/etc/hostname && ln -s passwd rootfs/etc/hostname
  tar -cf link.tar metadata.yaml rootfs`;

const TRACING = '/sys/kernel/tracing';

let folder: string;
/** Whether this test has mounted the host's tracing: a host without systemd may not have it there. */
let tracing = false;
let daemon: TestDaemon;
let operator: Operator;

beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/porthole-test-hostname-');
  const made = await run('sh', ['-c', MAKE, folder, inject('busybox')]);
  if (!made.ok) throw new Error(made.failure);
  if (readdirSync(TRACING).length === 0) {
    const mounted = await run('mount', ['-t', 'tracefs', 'tracefs', TRACING]);
    if (!mounted.ok) throw new Error(mounted.failure);
    tracing = true;
  }
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  for (const name of ['file', 'link'])
    await daemon.must('image', 'import', join(folder, `${name}.tar`), '--alias', name);
  await operator.launch('c1', { source: { type: 'image', alias: 'file' } });
});
afterAll(async () => {
  await daemon?.destroy();
  if (tracing) await run('umount', [TRACING]);
  rmSync(folder, { recursive: true });
});

const file = (name: string) => operator.sh(name, 'cat /etc/hostname');
const rename = async (name: string, to: string) => {
  await operator.state(name, 'stop', { force: true });
  await operator.client.change('POST', `/1.0/instances/${name}`, { json: { name: to } });
  await operator.state(to, 'start');
};

it("/etc/hostname of an image is the instance's name at its first start", async () => {
  expect(await file('c1')).toBe('c1');
  expect(await operator.sh('c1', 'stat -c "%u %g %a" /etc/hostname')).toBe('0 0 644');
});

it('what an instance writes into it stays', async () => {
  await operator.sh('c1', 'echo mine > /etc/hostname');
  await operator.state('c1', 'restart', { force: true });
  expect(await file('c1')).toBe('mine');
});

it('a new name of the instance is written at the next start', async () => {
  await rename('c1', 'c2');
  expect(await file('c2')).toBe('c2');
});

it('an instance starts although the file cannot be written', async () => {
  await operator.sh('c2', 'rm /etc/hostname; mkdir /etc/hostname');
  await rename('c2', 'c3');
  expect(daemon.log.map(({ msg }) => msg)).toContain(
    'could not write the name of an instance into its /etc/hostname',
  );
});

it('a link of an image is not followed', async () => {
  await operator.launch('c4', { source: { type: 'image', alias: 'link' } });
  expect(await file('c4')).toContain('root:');
});

it('the folders of the kernel are shown as LXD shows them, and their files closed to the instance', async () => {
  const points = (await operator.sh('c3', "awk '{ print $5 }' /proc/self/mountinfo")).split('\n');
  const folders = ['debug', 'security', 'tracing', 'config'].map((name) => `/sys/kernel/${name}`);
  const there = [...folders, '/sys/fs/pstore'].filter((folder) => existsSync(folder));
  expect(points).toEqual(expect.arrayContaining(there));
  const { code, stderr } = await operator.exec('c3', ['ls', TRACING]);
  expect([code, stderr]).toEqual([1, expect.stringContaining('Permission denied')]);
});
