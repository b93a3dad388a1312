import { close, declare } from './libc.ts';
import { openPidfd } from './pidfd.ts';

const fstat = declare('int fstat(int fd, _Out_ void *stat)');
const fstatfs = declare('int fstatfs(int fd, _Out_ void *statfs)');

/** `f_type` of a pidfd's file system since Linux 6.9, linux/magic.h. */
const PIDFS_MAGIC = 0x50494446;
/** Room enough for struct stat and struct statfs of 64-bit Linux. */
const stat = Buffer.alloc(144);
const statfs = Buffer.alloc(120);
/** Offset of `st_ino` in struct stat, the same on x86-64 and arm64. */
const INODE_LOW = 8;
const INODE_HIGH = 12;
/** Above this a double cannot hold the number. */
const HIGH_MAX = 0x20_0000;

/**
 * Whether the inode number of a pidfd names one process for as long as the system runs: so on pidfs of 64-bit
 * Linux (6.9). Before, all pidfds shared one inode.
 */
export function hasUniquePidfds(): boolean {
  const pidfd = openPidfd(process.pid);
  try {
    return fstatfs(pidfd, statfs) === 0 && statfs.readUInt32LE(0) === PIDFS_MAGIC;
  } finally {
    close(pidfd);
  }
}

/** The number of the process behind a pidfd, or 0 when it cannot be told. */
export function processNumber(pidfd: number): number {
  if (fstat(pidfd, stat) !== 0) return 0;
  const high = stat.readUInt32LE(INODE_HIGH);
  return high < HIGH_MAX ? high * 0x1_0000_0000 + stat.readUInt32LE(INODE_LOW) : 0;
}
