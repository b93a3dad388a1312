import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { CodedError } from '../../base/coded-error.ts';
import { guarded } from './failures.ts';
import { removeKeptLog } from './log-file.ts';
import { MIGRATIONS } from './migrations/list.ts';

/** A longer log gives its space back when SQLite starts it again; the reserved space needs some megabytes of it. */
const LOG_BYTES_KEPT = 8 * 1024 * 1024;

/**
 * Opens the database, with durable commits, and brings its schema to the newest version.
 * @param path file, or `:memory:`
 * @param look called before anything is changed; if it throws, the database stays as it is
 * @throws CodedError `store-newer` if a later Porthole has written it
 */
export function openDatabase(
  path: string,
  migrations = MIGRATIONS,
  look: (database: DatabaseSync) => void = () => {},
): DatabaseSync {
  if (path !== ':memory:') {
    removeKeptLog(path);
    // Values of keys may be secret. SQLite gives its other files the mode of this one.
    closeSync(openSync(path, 'a', 0o600));
  }
  const database = guarded(() => new DatabaseSync(path));
  try {
    guarded(() => {
      // The lock of the state directory keeps other daemons out. In exclusive mode, SQLite needs no file for
      // shared memory, for which a full disk has no room.
      database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA foreign_keys = ON');
      refuseNewer(database, migrations.length);
      look(database);
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      database.exec(`PRAGMA journal_size_limit = ${LOG_BYTES_KEPT}`);
      migrate(database, migrations);
    });
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The schema's version; 0 if there is no schema yet. */
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
    // One transaction for each step: after a crash, the database has the whole version before it.
    database.exec(`BEGIN IMMEDIATE; ${migrations[next]}; PRAGMA user_version = ${next + 1}; COMMIT`);
  }
}
