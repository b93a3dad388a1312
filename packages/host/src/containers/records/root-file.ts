import { constants } from 'node:fs';
import { lstat, open, stat } from 'node:fs/promises';
import { isYamlMap } from '../../base/yaml-map.ts';

/** A file of one container or image has a few KiB. With this limit, parsing takes about 10 ms at most. */
const FILE_MAX_BYTES = 1024 * 1024;

/** Mode bits with which the group or others may write. */
const OTHERS_WRITE = 0o022;

/** The daemon's own user, which is root; tests run as any user. */
const ROOT = process.getuid?.();

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The text of a file that only root can write; null if there is no such file, or it is too long or not UTF-8. */
export async function readRootFile(path: string, maxBytes = FILE_MAX_BYTES): Promise<string | null> {
  try {
    await using file = await open(path, FLAGS);
    const found = await file.stat();
    const { size } = found;
    if (!found.isFile() || !isRoots(found) || size > maxBytes) return null;
    // The file may grow meanwhile.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead));
  } catch {
    return null;
  }
}

/** The JSON object in a file that only root can write; null if there is none. */
export async function readRootObject(path: string): Promise<Readonly<Record<string, unknown>> | null> {
  const json = parsed(await readRootFile(path));
  return isYamlMap(json) ? json : null;
}

/** Parses JSON; null if the text is not valid JSON. */
export function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Whether there is a folder that only root can write. */
export function isRootFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory() && isRoots(found),
    () => false,
  );
}

/** Whether there is a plain file that only root can write. */
export function isRootFile(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isFile() && isRoots(found),
    () => false,
  );
}

function isRoots({ uid, mode }: { uid: number; mode: number }): boolean {
  return uid === ROOT && (mode & OTHERS_WRITE) === 0;
}
