import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { declare } from './libc.ts';

const flock = declare('int flock(int fd, int operation)');

const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Takes a lock on a file for the life of this process; flock(2). The kernel gives it back at the end of the
 * process, however it ends, so it is never stale.
 * @param inherited descriptor of the file that has the lock already: taking it again changes nothing
 * @returns its descriptor, to be closed to give it back, or the pid that the holder wrote into the file
 */
export function lockFile(path: string, inherited?: number): { fd: number } | { heldBy: string } {
  const fd = inherited ?? openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  if (flock(fd, LOCK_EX | LOCK_NB) !== 0) {
    const heldBy = readFileSync(path, 'utf8').trim();
    closeSync(fd);
    return { heldBy };
  }
  // First written, then cut: an emptied file would have to get room on a disk that may be full.
  const written = writeSync(fd, `${process.pid}\n`, 0);
  ftruncateSync(fd, written);
  return { fd };
}

/** Takes a lock on an open file for as long as anybody has it open; false when somebody else has it. */
export function tryLock(fd: number): boolean {
  return flock(fd, LOCK_EX | LOCK_NB) === 0;
}
