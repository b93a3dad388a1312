import { checked, declare, SystemError } from './libc.ts';

const lseek = declare('int64_t lseek(int fd, int64_t offset, int whence)');

const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** A part of a file, in bytes from its start; `end` does not belong to it. */
export interface FilePart {
  readonly start: number;
  readonly end: number;
}

/**
 * The first part of an open file, from a place on, that is not a hole; null if there is none. Holes read as zeros. On
 * file systems without holes it is all of the file. Moves the position of the file. @throws SystemError
 */
export function nextData(fd: number, from: number): FilePart | null {
  try {
    const start = checked('lseek', lseek(fd, from, SEEK_DATA));
    return { start, end: checked('lseek', lseek(fd, start, SEEK_HOLE)) };
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENXIO') return null;
    throw error;
  }
}
