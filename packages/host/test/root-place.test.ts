import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { silentLog } from '../src/base/log.ts';
import { run } from '../src/process/run.ts';
import type { Init } from '../src/runtimes/contract/runtime.ts';
import { type InstancePaths, instancePaths } from '../src/runtimes/lxc/paths.ts';
import { repairImage } from '../src/runtimes/lxc/root-image.ts';
import { enterOf } from '../src/runtimes/lxc/root-move.ts';
import { mountRoot, releaseRoot, settleRoot } from '../src/runtimes/lxc/root-place.ts';
import { RootUsage } from '../src/runtimes/lxc/root-usage.ts';
import { fills, readSuperblock } from '../src/runtimes/lxc/superblock.ts';
import { until } from './harness/api.ts';
import { nothingLeft } from './harness/roots.ts';

const MIB = 2 ** 20;
const TOLD = { id: 1, log: silentLog };

let scratch: string;
let paths: InstancePaths;
beforeEach(() => {
  scratch = mkdtempSync('/var/tmp/porthole-place-');
  paths = instancePaths(scratch, 1);
  mkdirSync(paths.upper, { recursive: true });
  writeFileSync(join(paths.upper, 'file'), 'kept');
});
afterEach(async () => {
  await nothingLeft(scratch);
  rmSync(scratch, { recursive: true, force: true });
});

const settle = (mebibytes: number | null) => settleRoot(paths, mebibytes && mebibytes * MIB, TOLD);
/** The instance's file, wherever it is. */
const content = async () => {
  const [command = '', ...args] = [...(await enterOf(paths)), 'cat', join(paths.upper, 'file')];
  return (await run(command, args)).stdout;
};
const there = () => readdirSync(paths.folder).sort();

it('what a move has left before its end is removed, and the files are moved', async () => {
  mkdirSync(join(paths.newOverlay, 'upper'), { recursive: true });
  writeFileSync(join(paths.newOverlay, 'upper', 'file'), 'half');
  writeFileSync(paths.newImage, 'half');
  await settle(32);
  expect(await content()).toBe('kept');
  expect([there(), readdirSync(paths.upper)]).toEqual([['overlay', 'root.img'], []]);
});

it('an image that is complete counts, whatever is left of the old place', async () => {
  await settle(32);
  writeFileSync(join(paths.upper, 'file'), 'old');
  expect(await content()).toBe('kept');
  await settle(32);
  expect([await content(), readdirSync(paths.upper)]).toEqual(['kept', []]);
  // So it is also when the way back was cut off before the image was removed.
  writeFileSync(join(paths.upper, 'file'), 'copy');
  await settle(null);
  expect([await content(), there()]).toEqual(['kept', ['overlay']]);
});

it('an image whose growth was cut off has its size after the next start', async () => {
  await settle(32);
  await run('truncate', ['-s', `${64 * MIB}`, paths.image]);
  await settle(64);
  expect(await content()).toBe('kept');
  const { stdout } = await run('dumpe2fs', ['-h', paths.image]);
  expect(stdout).toMatch(new RegExp(`^Block count: +${(64 * MIB) / 4096}$`, 'm'));
});

it('an image that never got to the disk is made again; a damaged one is refused and stays', async () => {
  rmSync(join(paths.upper, 'file'));
  await settle(32);
  rmSync(paths.image);
  await run('truncate', ['-s', `${32 * MIB}`, paths.image]);
  await settle(32);
  expect(statSync(paths.image).blocks).toBeGreaterThan(0);
  writeFileSync(paths.image, 'no file system', { flag: 'r+' });
  await run('dd', ['if=/dev/urandom', `of=${paths.image}`, 'bs=1M', 'count=32', 'conv=notrunc']);
  const before = readFileSync(paths.image);
  await expect(settle(32)).rejects.toThrow(/its file system is damaged .*: e2fsck -f .*root\.img$/s);
  expect(before.equals(readFileSync(paths.image))).toBe(true);
});

it('an image that is still mounted is refused, and loses nothing', async () => {
  await settle(32);
  await mountRoot(paths);
  try {
    await expect(settle(64)).rejects.toThrow('its image is still mounted: umount');
    expect(readFileSync(join(paths.upper, 'file'), 'utf8')).toBe('kept');
    // e2fsck must not change what is mounted.
    await expect(repairImage(paths.image)).rejects.toThrow('a program of the host still uses it');
  } finally {
    await releaseRoot(paths);
  }
  await settle(64);
  expect(await content()).toBe('kept');
});

it('a folder that cannot be read does not count as empty', async () => {
  // Too many links in a path are an error like any other.
  symlinkSync('loop', join(scratch, 'loop'));
  const broken = { ...paths, upper: join(scratch, 'loop') };
  await expect(settleRoot(broken, 32 * MIB, TOLD)).rejects.toThrow('ELOOP');
  expect([await content(), there()]).toEqual(['kept', ['overlay']]);
});

it('a copy for later images that cannot be made keeps nothing from starting', async () => {
  rmSync(join(paths.upper, 'file'));
  writeFileSync(join(scratch, 'empty-images'), '');
  await settle(32);
  expect(there()).toEqual(['overlay', 'root.img']);
});

it.each([129, 19_074])('an image of %s MiB is left as it is by the next start', async (size) => {
  await settle(size);
  const { ino } = statSync(paths.image);
  const { stdout } = await run('dumpe2fs', ['-h', paths.image]);
  // The last group would be too small, so the file system is smaller than its file.
  expect(stdout).not.toMatch(new RegExp(`^Block count: +${size * 256}$`, 'm'));
  expect(fills((await readSuperblock(paths.image))!, size * MIB)).toBe(true);
  await settle(size);
  expect(statSync(paths.image).ino).toBe(ino);
});

it('a copy ends with its daemon', async () => {
  const FILES = 12_000;
  await run('sh', ['-c', `cd "$0" && seq ${FILES} | xargs touch`, paths.upper]);
  await settle(128);
  const modules = join(import.meta.dirname, '../src/runtimes/lxc');
  const program = `
    import { instancePaths } from '${modules}/paths.ts';
    import { settleRoot } from '${modules}/root-place.ts';
    await settleRoot(instancePaths('${scratch}', 1), null, { id: 1, log: null });`;
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', program]);
  const ended = once(daemon, 'close');
  await until('it copies', async () => existsSync(join(paths.newOverlay, 'upper')));
  daemon.kill('SIGKILL');
  await ended;
  await until('no program is left', async () => (await run('pgrep', ['-f', scratch])).code === 1);
  expect(readdirSync(join(paths.newOverlay, 'upper')).length).toBeLessThan(FILES);
});

it('the use of other roots is known if one fails', async () => {
  await settle(32);
  const usage = new RootUsage();
  const init = (pid: number) => ({ pid, isAlive: () => true }) as Init;
  const [gone, known] = await Promise.all([0x7fffffff, process.pid].map((pid) => usage.of(init(pid), paths)));
  expect(gone).toEqual({ diskUsage: null });
  expect(known?.diskTotal).toBeGreaterThan(0);
});

it('files that do not fit stay where they are', async () => {
  await run('dd', ['if=/dev/urandom', `of=${paths.upper}/big`, 'bs=1M', 'count=40']);
  await expect(settle(32)).rejects.toThrow('The files of the instance do not fit into a root disk of 32MiB');
  expect([await content(), there()]).toEqual(['kept', ['overlay']]);
});
