import { readFileSync } from 'node:fs';
import { checked, declare } from './libc.ts';

const getrlimit = declare('int getrlimit(int resource, _Out_ void *limit)');
const setrlimit = declare('int setrlimit(int resource, const void *limit)');
const prlimit = declare('int prlimit(int pid, int resource, const void *limit, void *old)');

/** asm-generic/resource.h. */
const RLIMIT_FSIZE = 1;
const RLIMIT_NOFILE = 7;

/** Open files that this process may have. */
export interface OpenFiles {
  readonly soft: number;
  readonly hard: number;
}

/**
 * Raises the limit on open files: the hard limit to `wanted`, but not beyond what the kernel allows
 * (fs.nr_open), and the soft limit to the hard one; setrlimit(2).
 * @returns the limits afterwards
 */
export function raiseOpenFiles(wanted: number): OpenFiles {
  const now = readLimit();
  const hard = Math.max(now.hard, Math.min(wanted, kernelMost()));
  if (hard > now.hard && writeLimit({ soft: hard, hard })) return readLimit();
  writeLimit({ soft: now.hard, hard: now.hard });
  return readLimit();
}

/** The most files, up to `wanted`, that this process may let another process open. */
export function openFilesFor(wanted: number): number {
  const now = readLimit();
  const most = Math.min(wanted, kernelMost());
  // Tried, and taken back: whether the kernel allows a raise depends on more than on capabilities.
  if (most <= now.hard || !writeLimit({ soft: now.soft, hard: most })) return Math.min(most, now.hard);
  writeLimit(now);
  return most;
}

/** fs.nr_open */
function kernelMost(): number {
  return Number(readFileSync('/proc/sys/fs/nr_open', 'utf8'));
}

/** How many files this process may have open: all descriptors are below this number. */
export function openFilesMax(): number {
  return readLimit().soft;
}

/** Limits the size to which a process, and programs that it starts later, can grow a file; prlimit(2). */
export function limitFileSize(pid: number, bytes: number): void {
  checked('prlimit', prlimit(pid, RLIMIT_FSIZE, limitBuffer({ soft: bytes, hard: bytes }), null));
}

function readLimit(): OpenFiles {
  const limit = Buffer.alloc(16);
  getrlimit(RLIMIT_NOFILE, limit);
  return { soft: Number(limit.readBigUInt64LE(0)), hard: Number(limit.readBigUInt64LE(8)) };
}

function writeLimit(limit: OpenFiles): boolean {
  return setrlimit(RLIMIT_NOFILE, limitBuffer(limit)) === 0;
}

/** `struct rlimit`. */
function limitBuffer({ soft, hard }: OpenFiles): Buffer {
  const limit = Buffer.alloc(16);
  limit.writeBigUInt64LE(BigInt(soft), 0);
  limit.writeBigUInt64LE(BigInt(hard), 8);
  return limit;
}
