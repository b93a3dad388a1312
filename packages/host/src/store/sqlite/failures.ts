import { CodedError } from '../../base/coded-error.ts';
import { type HostErrorCode, hostError } from '../../core/host-errors.ts';

/** SQLite's codes for failures of disk or database, not of a statement; sqlite.org/rescode.html. */
const FAILURES: Readonly<Record<number, HostErrorCode>> = {
  8: 'store-read-only', // SQLITE_READONLY
  10: 'store-failed', // SQLITE_IOERR
  11: 'store-damaged', // SQLITE_CORRUPT
  13: 'store-full', // SQLITE_FULL
  14: 'store-failed', // SQLITE_CANTOPEN
  26: 'store-damaged', // SQLITE_NOTADB
};
const PRIMARY_CODE = 0xff;

/** Turns a failure of the disk or of the database into its CodedError; returns any other error as it is. */
function asStoreFailure(error: unknown): unknown {
  // A text in a row is not JSON: only Porthole writes rows, so the database is damaged.
  if (error instanceof SyntaxError) return hostError('store-damaged', error.message);
  const { errcode = 0, errstr = '' } = error as { errcode?: number; errstr?: string };
  const code = FAILURES[errcode & PRIMARY_CODE];
  return code ? hostError(code, errstr) : error;
}

/** Runs work on the database. @throws CodedError store-full, store-read-only, store-damaged, store-failed */
export function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asStoreFailure(error);
  }
}

/** Whether the error says that the disk is full. */
export function isFull(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'store-full';
}
