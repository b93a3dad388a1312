import { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { Looks } from './look.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-look-');
  symlinkSync('/dev/null', join(folder, 'link'));
  symlinkSync(folder, join(folder, 'self'));
  symlinkSync('loop', join(folder, 'loop'));
});
afterEach(() => rmSync(folder, { recursive: true }));

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
  await expect(new Looks(0).at(folder)).rejects.toThrow(`The source path does not answer: ${folder}`);
});
