import { chmod, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFile } from '../base/replace-file.ts';
import type { Change } from './setup.ts';

/** Writes a configuration file, and makes its folder. It does not touch a file that already has this text and mode. */
export async function writeText(path: string, text: string, mode = 0o644): Promise<Change> {
  const before = await readText(path);
  if (before === text && ((await stat(path)).mode & mode) === mode) return { path, what: 'same' };
  await makeFolder(dirname(path));
  await replaceFile(path, text, mode);
  // A program must be executable. Other files keep the mode that an operator has given them.
  if (mode !== 0o644) await chmod(path, mode);
  return { path, what: 'written' };
}

/** Removes a file, if it exists. */
export async function removeFile(path: string): Promise<Change> {
  if ((await readText(path)) === null) return { path, what: 'absent' };
  await rm(path);
  return { path, what: 'removed' };
}

/** The text of a file; null if there is none. */
export async function readText(path: string): Promise<string | null> {
  const info = await infoOf(path);
  if (info === null) return null;
  // A write would replace a device by a file, and a read of a pipe may never end.
  if (!info.isFile() && !info.isDirectory()) throw new Error(`${path} is not a regular file`);
  return readFile(path, 'utf8');
}

/** The facts of stat(2); null if there is no such file. */
async function infoOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Makes folders one by one. Node's recursive mkdir never ends in a file system without mkdir, such as /proc. */
async function makeFolder(path: string): Promise<void> {
  if ((await infoOf(path)) !== null) return;
  await makeFolder(dirname(path));
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new Error(`The system cannot make the folder ${path}`);
    if (error.code !== 'EEXIST') throw error;
  });
}
