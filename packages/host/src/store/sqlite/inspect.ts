import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { CodedError, messageOf } from '../../base/coded-error.ts';
import type { State } from '../../core/entities.ts';
import { copyError } from './copy-errors.ts';
import { lookInto } from './look-into.ts';
import { MIGRATIONS } from './migrations/list.ts';
import { versionOf } from './open.ts';
import { lastNumberIn, newestPositionIn, stateIn } from './state.ts';

/** What a copy of the database has. */
export interface CopyFacts {
  /** Id of its state directory; null if it is from a version of Porthole without these ids. */
  readonly id: string | null;
  readonly schema: number;
  readonly bytes: number;
  /** The newest position of an event: the later of two copies has the higher one. */
  readonly position: number;
  readonly instances: number;
  readonly profiles: number;
  readonly images: number;
}

export interface CopyContent {
  readonly state: State;
  /** The newest position of an event. */
  readonly position: number;
  /** The last id that was given to an instance. */
  readonly lastInstanceId: number;
}

/**
 * Reads a copy of the database, and changes nothing. A complete check takes a second for some hundred megabytes.
 * @param check whether each page, index and reference is checked
 * @throws CodedError of the table of copy errors
 */
export function inspectCopy(path: string, check: boolean): CopyFacts {
  const bytes = sizeOf(path);
  return reading(path, (database) => factsOf(database, path, bytes, check));
}

/** What a recovery takes from a copy. @throws CodedError of the table of copy errors */
export function readCopy(path: string): CopyContent {
  return reading(path, (database) => ({
    state: stateIn(database),
    position: newestPositionIn(database),
    lastInstanceId: lastNumberIn(database, 'instances'),
  }));
}

function reading<T>(path: string, work: (database: DatabaseSync) => T): T {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(addressOf(path), { readOnly: true });
    return work(database);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw copyError('copy-damaged', path, messageOf(error));
  } finally {
    database?.close();
  }
}

function factsOf(database: DatabaseSync, path: string, bytes: number, check: boolean): CopyFacts {
  const found = lookInto(database);
  if (found.kind !== 'own') throw copyError('copy-other', path);
  const schema = versionOf(database);
  if (schema > MIGRATIONS.length) {
    throw copyError('copy-newer', path, String(schema), String(MIGRATIONS.length));
  }
  const damage = check ? damageIn(database) : '';
  if (damage !== '') throw copyError('copy-damaged', path, damage);
  const state = stateIn(database);
  return {
    ...{ id: found.id, schema, bytes, position: newestPositionIn(database) },
    instances: state.instances.size,
    profiles: state.profiles.size,
    images: state.images.size,
  };
}

/** The first defect of a page, index or reference of a database; empty if there is none. */
function damageIn(database: DatabaseSync): string {
  const [first] = database.prepare('PRAGMA integrity_check(1)').all();
  const found = String(first?.['integrity_check'] ?? 'it cannot be checked');
  if (found !== 'ok') return found.replaceAll('\n', ' ');
  const broken = database.prepare('PRAGMA foreign_key_check').get();
  return broken ? `a row of table ${broken['table']} refers to a missing one` : '';
}

function sizeOf(path: string): number {
  try {
    const found = statSync(path);
    if (!found.isFile()) throw copyError('copy-other', path);
    return found.size;
  } catch (error) {
    if (error instanceof CodedError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw copyError('copy-missing', path);
    throw copyError('copy-unreadable', path, messageOf(error));
  }
}

/** A copy without a log beside it is read without any write, so it may be on a read-only disk. */
function addressOf(path: string): URL {
  const url = pathToFileURL(path);
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0) url.search = 'immutable=1';
  return url;
}
