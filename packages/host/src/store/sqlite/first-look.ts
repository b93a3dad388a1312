import { open, readFile, stat } from 'node:fs/promises';
import { hostError } from '../../core/host-errors.ts';
import { logDamage } from './log-check.ts';

const MAGIC = 'SQLite format 3\0';
/** SQLite's header is longer, but these fields are in it; sqlite.org/fileformat2.html#the_database_header. */
const HEADER_BYTES = 100;
const PAGE_MIN = 512;

/**
 * Checks a database before SQLite opens it. When SQLite opens a damaged one, it may remove its log.
 * @throws CodedError store-damaged
 */
export async function lookBefore(path: string): Promise<void> {
  const [header, size] = await beginningOf(path);
  const log = await readFile(`${path}-wal`).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  const damage = headerDamage(header) || logDamage(log) || lengthDamage(header, size, log);
  if (damage !== '') throw hostError('store-damaged', damage);
}

async function beginningOf(path: string): Promise<[header: Buffer, size: number]> {
  await using file = await open(path, 'r');
  const { buffer } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
  return [buffer, (await stat(path)).size];
}

function headerDamage(header: Buffer): string {
  const page = pageSize(header);
  const isDatabase = header.toString('latin1', 0, MAGIC.length) === MAGIC;
  return isDatabase && page >= PAGE_MIN && (page & (page - 1)) === 0 ? '' : 'file is not a database';
}

/** With a log, the file may be shorter than its header says: the rest is in the log. */
function lengthDamage(header: Buffer, size: number, log: Buffer): string {
  const pages = header.readUInt32BE(28);
  const isEmptyLog = log.subarray(0, 32).every((byte) => byte === 0);
  return isEmptyLog && size < pages * pageSize(header) ? 'the file is shorter than it was' : '';
}

/** The largest size does not fit into the two bytes. */
function pageSize(header: Buffer): number {
  const size = header.readUInt16BE(16);
  return size === 1 ? 65_536 : size;
}
