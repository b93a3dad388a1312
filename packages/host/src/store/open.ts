import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { CodedError } from '../base/coded-error.ts';
import { MIGRATIONS } from './migrations/list.ts';

/**
 * Opens the database, made durable at every commit, and brings its schema to the newest version.
 * @param path file, or `:memory:`
 * @throws CodedError `store-newer` when a later Porthole has written it
 */
export function openDatabase(path: string, migrations = MIGRATIONS): DatabaseSync {
  // Keys may be secrets. SQLite gives the files beside it the same mode.
  if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600));
  const database = new DatabaseSync(path);
  try {
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = ON;
    `);
    migrate(database, migrations);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function migrate(database: DatabaseSync, migrations: readonly string[]): void {
  const version = (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
  if (version > migrations.length) {
    throw new CodedError(
      'store-newer',
      500,
      `The database has schema ${version}, this Porthole knows ${migrations.length}: start a newer Porthole`,
    );
  }
  for (let next = version; next < migrations.length; next++) {
    // One transaction a step: a crash in the middle leaves the version before it, whole.
    database.exec(`BEGIN IMMEDIATE; ${migrations[next]}; PRAGMA user_version = ${next + 1}; COMMIT`);
  }
}
