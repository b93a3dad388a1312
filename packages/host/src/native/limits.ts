import { readFileSync } from 'node:fs';
import { declare } from './libc.ts';

const getrlimit = declare('int getrlimit(int resource, _Out_ void *limit)');
const setrlimit = declare('int setrlimit(int resource, const void *limit)');

const RLIMIT_NOFILE = 7;

/** Open files that this process may have. */
export interface OpenFiles {
  readonly soft: number;
  readonly hard: number;
}

/**
 * Raises the limit on open files: the hard limit as far as the kernel lets root (fs.nr_open) and `wanted` goes,
 * the soft one to the hard one; setrlimit(2).
 * @returns the limits as they are afterwards
 */
export function raiseOpenFiles(wanted: number): OpenFiles {
  const now = readLimit();
  const most = Number(readFileSync('/proc/sys/fs/nr_open', 'utf8'));
  const hard = Math.max(now.hard, Math.min(wanted, most));
  if (hard > now.hard && writeLimit({ soft: hard, hard })) return readLimit();
  writeLimit({ soft: now.hard, hard: now.hard });
  return readLimit();
}

function readLimit(): OpenFiles {
  const limit = Buffer.alloc(16);
  getrlimit(RLIMIT_NOFILE, limit);
  return { soft: Number(limit.readBigUInt64LE(0)), hard: Number(limit.readBigUInt64LE(8)) };
}

function writeLimit({ soft, hard }: OpenFiles): boolean {
  const limit = Buffer.alloc(16);
  limit.writeBigUInt64LE(BigInt(soft), 0);
  limit.writeBigUInt64LE(BigInt(hard), 8);
  return setrlimit(RLIMIT_NOFILE, limit) === 0;
}
