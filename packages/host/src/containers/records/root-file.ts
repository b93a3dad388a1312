import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** The settings of a machine have a few KiB. With this limit, parsing takes about 10 ms at most. */
const FILE_MAX_BYTES = 1024 * 1024;

/** Mode bits with which the group or others may write. */
const OTHERS_WRITE = 0o022;

/** The daemon's own user, which is root; tests run as any user. */
const ROOT = process.getuid?.();

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * The text of a file in /etc that only root can write. The daemon itself reads it. Null if there is no such file, or it
 * is too long or not UTF-8.
 */
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

function isRoots({ uid, mode }: { uid: number; mode: number }): boolean {
  return uid === ROOT && (mode & OTHERS_WRITE) === 0;
}
