import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { expect } from 'vitest';
import { run } from '../../src/process/run.ts';
import { until } from './api.ts';

/** Runs a program of the host. @throws when it fails */
async function tool(command: string, ...args: string[]): Promise<string> {
  const { ok, failure, stdout } = await run(command, args);
  if (!ok) throw new Error(failure);
  return stdout;
}

/** Mounts a new file system of btrfs with quotas on a folder. @returns a function that removes it */
export async function mountBtrfs(folder: string, size: string): Promise<() => Promise<void>> {
  const scratch = mkdtempSync('/var/tmp/porthole-btrfs-');
  const disk = `${scratch}/disk`;
  const remove = async () => {
    await run('umount', ['-l', folder]);
    rmSync(scratch, { recursive: true, force: true });
  };
  try {
    await tool('truncate', '-s', size, disk);
    await tool('mkfs.btrfs', '-q', disk);
    await tool('mount', '-o', 'loop', disk, folder);
    await tool('btrfs', 'quota', 'enable', folder);
    await tool('btrfs', 'quota', 'rescan', '-w', folder);
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}

/** The mounts of the host below a folder, and the loop devices with files in it. */
export async function leftBelow(folder: string): Promise<readonly string[]> {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${folder}/`));
  const loops = (await tool('losetup', '-a')).split('\n').filter((line) => line.includes(`(${folder}/`));
  return [...mounts, ...loops];
}

/** Waits until nothing is left below a folder: the kernel unmounts after the last process has ended. */
export async function nothingLeft(folder: string): Promise<void> {
  await until('no mount and no loop device is left', async () => (await leftBelow(folder)).length === 0);
  expect(await leftBelow(folder)).toEqual([]);
}
