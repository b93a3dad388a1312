import { DatabaseSync } from 'node:sqlite';

/** Changes a copied database so that it needs no log beside it, and any program can read it. */
export function formAsCopy(path: string): void {
  const database = new DatabaseSync(path);
  try {
    // In exclusive mode SQLite needs no shared memory. Not every file system supports that.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE');
  } finally {
    database.close();
  }
}
