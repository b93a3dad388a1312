import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { declare } from './libc.ts';

const flock = declare('int flock(int fd, int operation)');

const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Takes a lock on a file for the life of this process; flock(2). The kernel releases it when the process ends
 * for any reason, so it is never stale.
 * @param inherited descriptor of the file that already has the lock: taking it again changes nothing
 * @returns its descriptor, which releases the lock when it is closed, or the pid that the holder wrote into
 * the file
 */
export function lockFile(path: string, inherited?: number): { fd: number } | { heldBy: string } {
  const fd = inherited ?? openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  if (flock(fd, LOCK_EX | LOCK_NB) !== 0) {
    const heldBy = readFileSync(path, 'utf8').trim();
    closeSync(fd);
    return { heldBy };
  }
  // Written first, then cut: an empty file would need new space on a disk that may be full.
  const written = writeSync(fd, `${process.pid}\n`, 0);
  ftruncateSync(fd, written);
  return { fd };
}

/** Takes a lock on an open file until all its descriptors are closed; false when another process has it. */
export function tryLock(fd: number): boolean {
  return flock(fd, LOCK_EX | LOCK_NB) === 0;
}
