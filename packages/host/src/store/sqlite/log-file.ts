import { closeSync, existsSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** SQLite's log beside the database, and a second name for it while SQLite removes the first. */
const logOf = (path: string) => `${path}-wal`;
const keptOf = (path: string) => `${path}-wal.kept`;

/** More bytes than the log's header, without which it is empty; sqlite.org/fileformat2.html#walformat. */
const EMPTIED_BYTES = 4096;

/**
 * Closes a database and leaves its log in place: empty, but with its room on the disk. SQLite would remove
 * the log, and the next daemon could write nothing if another program had taken the room meanwhile.
 */
export function closeKeepingLog(database: DatabaseSync, path: string): void {
  const [log, kept] = [logOf(path), keptOf(path)];
  const isKept = attempt(() => linkSync(log, kept));
  database.close();
  if (!isKept) return;
  // SQLite leaves the log if the database has no room for its contents: then it must stay as it is.
  if (existsSync(log)) {
    attempt(() => rmSync(kept));
    return;
  }
  attempt(() => {
    const file = openSync(kept, 'r+');
    writeSync(file, Buffer.alloc(EMPTIED_BYTES));
    closeSync(file);
    renameSync(kept, log);
  });
}

/** Removes the second name, which is left if the daemon ends within {@link closeKeepingLog}. */
export function removeKeptLog(path: string): void {
  attempt(() => rmSync(keptOf(path), { force: true }));
}

/** Ignores failures: they can only cost room for later. @returns whether the work succeeded */
function attempt(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
