import { closeSync, existsSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** SQLite's log beside the database, and the name that it has while SQLite removes the other one. */
const logOf = (path: string) => `${path}-wal`;
const keptOf = (path: string) => `${path}-wal.kept`;

/** More than the header of the log, sqlite.org/fileformat2.html#walformat: without it there is nothing in it. */
const EMPTIED_BYTES = 4096;

/**
 * Closes a database and leaves its log where it is, with its room on the disk but empty. SQLite would remove it, and
 * the next daemon could not write anything when another one has taken the room meanwhile.
 */
export function closeKeepingLog(database: DatabaseSync, path: string): void {
  const [log, kept] = [logOf(path), keptOf(path)];
  const isKept = attempt(() => linkSync(log, kept));
  database.close();
  if (!isKept) return;
  // SQLite leaves a log that holds what the database has no room for: that one must stay as it is.
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

/** Removes what an end in the middle of that has left. */
export function removeKeptLog(path: string): void {
  attempt(() => rmSync(keptOf(path), { force: true }));
}

/** It is about room for later only. */
function attempt(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
