import { DatabaseSync } from 'node:sqlite';

/** Makes a copied file of a database one that needs no log beside it: any program can read it as it is. */
export function formAsCopy(path: string): void {
  const database = new DatabaseSync(path);
  try {
    // In exclusive mode SQLite needs no shared memory, which not every file system has.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE');
  } finally {
    database.close();
  }
}
