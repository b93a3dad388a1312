import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { replaceFile } from './replace-file.ts';

/** What another user does when the new text has been written. */
let meanwhile: (temporary: string) => Promise<void> = async () => {};

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  const open: typeof fs.open = async (path, ...rest) => {
    const file = await real.open(path, ...rest);
    const write = file.writeFile.bind(file);
    file.writeFile = async (...words) => {
      await write(...words);
      await meanwhile(String(path));
    };
    return file;
  };
  return { ...real, open };
});

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'porthole-test-replace-'));
  file = join(folder, 'config.json');
});
afterEach(async () => {
  meanwhile = async () => {};
  await fs.rm(folder, { recursive: true });
});

const modeOf = async (path: string) => (await fs.stat(path)).mode & 0o7777;

describe('a file that is replaced', () => {
  it('keeps its mode, and a new one has the mode that is asked for', async () => {
    await replaceFile(file, 'a', 0o640);
    expect(await modeOf(file)).toBe(0o640);
    await fs.chmod(file, 0o604);
    await replaceFile(file, 'b', 0o640);
    expect([await modeOf(file), await fs.readFile(file, 'utf8')]).toEqual([0o604, 'b']);
    expect(await fs.readdir(folder)).toEqual(['config.json']);
  });

  it('does not change the mode of a file to which another user has linked the temporary name', async () => {
    const secret = join(folder, 'secret');
    await fs.writeFile(secret, 'secret', { mode: 0o600 });
    await fs.writeFile(file, '{}', { mode: 0o644 });
    meanwhile = async (temporary) => {
      await fs.rm(temporary);
      await fs.symlink(secret, temporary);
    };
    await replaceFile(file, 'a');
    expect([await modeOf(secret), await fs.readFile(secret, 'utf8')]).toEqual([0o600, 'secret']);
  });

  it('may be what a link leads to, or the link itself', async () => {
    const other = join(folder, 'other');
    await fs.writeFile(other, 'other');
    await fs.symlink(other, file);
    await replaceFile(file, 'a', 0o644, 'replace');
    expect([await fs.readFile(file, 'utf8'), await fs.readFile(other, 'utf8')]).toEqual(['a', 'other']);
    await fs.rm(file);
    await fs.symlink(other, file);
    await replaceFile(file, 'b');
    expect([await fs.readFile(other, 'utf8'), await fs.readlink(file)]).toEqual(['b', other]);
  });

  it('is the one that an error names', async () => {
    const missing = join(folder, 'none/config.json');
    await expect(replaceFile(missing, 'a')).rejects.toMatchObject({
      path: missing,
      message: `ENOENT: no such file or directory, open '${missing}'`,
    });
    await fs.mkdir(file);
    await expect(replaceFile(file, 'a')).rejects.toThrow(`'${file}' -> '${file}'`);
    expect(await fs.readdir(folder)).toEqual(['config.json']);
  });
});
