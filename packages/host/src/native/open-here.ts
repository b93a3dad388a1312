import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { checked, close, declare } from './libc.ts';

const openat2 = declare('long syscall(long number, int dir, const char *path, const void *how, size_t size)');
const openFolder = declare('int open(const char *path, int flags)');

/** System call number, the same on x86-64 and arm64; Linux 5.6. */
const OPENAT2 = 437;
/** `struct open_how` of linux/openat2.h: flags, mode, resolve. */
const HOW_BYTES = 24;
const NO_XDEV = 0x01n;
const NO_SYMLINKS = 0x04n;
const BENEATH = 0x08n;

const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;

/**
 * Opens a file of a folder in memory (tmpfs), but nothing that is mounted on it and no link. So it never waits: the
 * kernel refuses a mount (EXDEV) before it asks the file system that is mounted there.
 */
export async function openHere(path: string, flags: number): Promise<FileHandle> {
  const folder = checked('open', openFolder(dirname(path), constants.O_DIRECTORY | O_PATH | O_CLOEXEC));
  try {
    const how = Buffer.alloc(HOW_BYTES);
    how.writeBigUInt64LE(BigInt(O_PATH | O_CLOEXEC | constants.O_NOFOLLOW), 0);
    how.writeBigUInt64LE(NO_XDEV | NO_SYMLINKS | BENEATH, 16);
    const file = checked('openat2', openat2(OPENAT2, folder, basename(path), how, HOW_BYTES));
    try {
      // The same file, without its name.
      return await open(`/proc/self/fd/${file}`, flags & ~constants.O_NOFOLLOW);
    } finally {
      close(file);
    }
  } finally {
    close(folder);
  }
}
