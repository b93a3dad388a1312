import { CodedError } from '../base/coded-error.ts';
import { type HostErrorCode, hostError } from '../core/host-errors.ts';

/** What SQLite says when it is not the statement that fails; sqlite.org/rescode.html. */
const FAILURES: Readonly<Record<number, HostErrorCode>> = {
  8: 'store-read-only', // SQLITE_READONLY
  10: 'store-failed', // SQLITE_IOERR
  11: 'store-damaged', // SQLITE_CORRUPT
  13: 'store-full', // SQLITE_FULL
  14: 'store-failed', // SQLITE_CANTOPEN
  26: 'store-damaged', // SQLITE_NOTADB
};
const PRIMARY_CODE = 0xff;

/** What was thrown, as an error that says what has happened to the disk or to the database on it. */
function asStoreFailure(error: unknown): unknown {
  // Text that is no JSON where there was some once: rows are written by us alone.
  if (error instanceof SyntaxError) return hostError('store-damaged', error.message);
  const { errcode = 0, errstr = '' } = error as { errcode?: number; errstr?: string };
  const code = FAILURES[errcode & PRIMARY_CODE];
  return code ? hostError(code, errstr) : error;
}

/** Does something with the database. @throws CodedError store-full, store-read-only, store-damaged, store-failed */
export function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asStoreFailure(error);
  }
}

/** Whether a disk without room is all that was in the way. */
export function isFull(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'store-full';
}
