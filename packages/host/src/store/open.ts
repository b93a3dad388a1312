import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { CodedError } from '../base/coded-error.ts';
import { guarded } from './failures.ts';
import { removeKeptLog } from './log-file.ts';
import { MIGRATIONS } from './migrations/list.ts';

/**
 * Opens the database, made durable at every commit, and brings its schema to the newest version.
 * @param path file, or `:memory:`
 * @param look called before anything is changed; what it throws leaves the database as it is
 * @throws CodedError `store-newer` when a later Porthole has written it
 */
export function openDatabase(
  path: string,
  migrations = MIGRATIONS,
  look: (database: DatabaseSync) => void = () => {},
): DatabaseSync {
  if (path !== ':memory:') {
    removeKeptLog(path);
    // Keys may be secrets. SQLite gives the files beside it the same mode.
    closeSync(openSync(path, 'a', 0o600));
  }
  const database = guarded(() => new DatabaseSync(path));
  try {
    guarded(() => {
      // The lock of the state directory has let nobody else in. Alone, SQLite needs no file for shared memory, for
      // which a full disk has no room.
      database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA foreign_keys = ON');
      refuseNewer(database, migrations.length);
      look(database);
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      migrate(database, migrations);
    });
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The schema's version; 0: there is none yet. */
export function versionOf(database: DatabaseSync): number {
  return (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}

function refuseNewer(database: DatabaseSync, known: number): void {
  const version = versionOf(database);
  if (version <= known) return;
  throw new CodedError(
    'store-newer',
    500,
    `The database has schema ${version}, this Porthole knows ${known}: start a newer Porthole`,
  );
}

function migrate(database: DatabaseSync, migrations: readonly string[]): void {
  for (let next = versionOf(database); next < migrations.length; next++) {
    // One transaction a step: a crash in the middle leaves the version before it, whole.
    database.exec(`BEGIN IMMEDIATE; ${migrations[next]}; PRAGMA user_version = ${next + 1}; COMMIT`);
  }
}
