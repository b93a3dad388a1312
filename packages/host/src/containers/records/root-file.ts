import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Settings of one machine. They hold a few KiB; the limit keeps the parsing of one below some 10 ms. */
const FILE_MAX_BYTES = 1024 * 1024;

/** May be written by the group or by others. */
const OTHERS_WRITE = 0o022;

/** The daemon's own user, which is root; tests run as any user. */
const ROOT = process.getuid?.();

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * The text of a file in /etc that only root can write, read by the daemon itself. Null if there is no such file, or it is
 * longer, or not UTF-8.
 */
export async function readRootFile(path: string, maxBytes = FILE_MAX_BYTES): Promise<string | null> {
  try {
    await using file = await open(path, FLAGS);
    const found = await file.stat();
    const { size } = found;
    if (!found.isFile() || !isRoots(found) || size > maxBytes) return null;
    // It may grow meanwhile: not more than its size is read.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead));
  } catch {
    return null;
  }
}

function isRoots({ uid, mode }: { uid: number; mode: number }): boolean {
  return uid === ROOT && (mode & OTHERS_WRITE) === 0;
}
