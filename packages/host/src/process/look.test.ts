import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it, vi } from 'vitest';
import { Looks } from './look.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-look-');
  symlinkSync('/dev/null', join(folder, 'link'));
  symlinkSync(folder, join(folder, 'self'));
  symlinkSync('loop', join(folder, 'loop'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const looks = new Looks();

it('says what is at a path, following links', async () => {
  const { dev, ino } = statSync(folder, { bigint: true });
  expect(await looks.at(folder)).toEqual({
    isFolder: true,
    isBlockDevice: false,
    character: null,
    device: dev,
    inode: ino,
  });
  expect(await looks.at(join(folder, 'link'))).toMatchObject({
    isFolder: false,
    character: { major: 1, minor: 3 },
  });
});

it('gives null if nothing is there, and reports other failures', async () => {
  expect(await looks.at(join(folder, 'no\nwhere'))).toBe(null);
  expect(await looks.at('/etc/passwd/x')).toBe(null);
  expect(await looks.at('')).toBe(null);
  await expect(looks.at(join(folder, 'loop'))).rejects.toThrow('Too many levels of symbolic links');
});

it('distinguishes a folder from a link to one', async () => {
  expect(await looks.isPlainFolder(folder)).toBe(true);
  expect(await looks.isPlainFolder('/')).toBe(true);
  for (const path of [join(folder, 'self'), `${folder}/.`, '/etc/passwd', '/nowhere', '-'])
    expect(await looks.isPlainFolder(path)).toBe(false);
});

it('fails if the path does not answer in time', async () => {
  // Stands for a stat that waits in the kernel.
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  writeFileSync(join(programs, 'stat'), '#!/bin/sh\nexec /bin/sleep 3600\n', { mode: 0o755 });
  vi.stubEnv('PATH', programs);
  await expect(new Looks(50).at(folder)).rejects.toThrow(`The source path does not answer: ${folder}`);
});
