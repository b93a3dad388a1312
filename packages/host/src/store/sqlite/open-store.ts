import { randomBytes } from 'node:crypto';
import { open, opendir, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { CodedError, messageOf } from '../../base/coded-error.ts';
import { syncFolder } from '../../base/sync-folder.ts';
import { directoryError } from './directory-errors.ts';
import { type DirectoryFacts, idOf, judgeDirectory } from './directory-id.ts';
import { guarded } from './failures.ts';
import { lookBefore } from './first-look.ts';
import { DIRECTORY_ID, lookInto } from './look-into.ts';
import { openDatabase } from './open.ts';
import { Store, type StoreOptions } from './store.ts';

/** The paths in a state directory that show whether it has been used. */
export interface DirectoryPaths {
  readonly database: string;
  readonly id: string;
  readonly images: string;
  readonly roots: string;
  readonly instances: string;
}

export interface OpenedStore {
  readonly store: Store;
  /** The id of directory and database. */
  readonly id: string;
  /** Whether directory and database had the same id before this start: only then may leftovers be removed. */
  readonly settled: boolean;
}

const ID_BYTES = 16;
const PRIVATE = 0o600;
/** Names that Porthole gives. Others, such as lost+found, do not show that the directory has been used. */
const OWN_NAMES = /^(\d+|[0-9a-f]{64}(-\d+)?|empty-\d+)$/;

/**
 * Opens the store of a state directory; in a directory that has never been used, it makes one.
 * @throws CodedError if the database is missing, damaged or of another directory; then nothing is changed
 */
export async function openStore(paths: DirectoryPaths, options: StoreOptions): Promise<OpenedStore> {
  const directory = await lookAt(paths);
  const make = () => randomBytes(ID_BYTES).toString('hex');
  // Opening the database would make the file if there is none.
  if (await hasBytes(paths.database)) await lookBefore(paths.database);
  else judgeDirectory(directory, { kind: 'none' }, make);
  let found = { id: '', settled: false };
  const database = openDatabase(paths.database, undefined, (opened) => {
    found = judgeDirectory(directory, lookInto(opened), make);
  });
  try {
    if (!found.settled) await settle(paths.id, found.id, database, directory.pending);
    return { store: new Store(paths.database, options, database), ...found };
  } catch (error) {
    database.close();
    throw error;
  }
}

async function lookAt(paths: DirectoryPaths): Promise<DirectoryFacts> {
  const text = (path: string) => readFile(path, 'utf8').then(idOf, nullIfMissing);
  const folders = [paths.images, paths.roots, paths.instances];
  const filled = await Promise.all(folders.map(hasOwnNames));
  return {
    paths,
    id: await text(paths.id),
    pending: await text(pendingOf(paths.id)),
    hasContent: filled.includes(true),
  };
}

const pendingOf = (path: string) => `${path}.new`;

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw directoryError('directory-unusable', error.message);
}

async function hasBytes(path: string): Promise<boolean> {
  const found = await stat(path).catch(nullIfMissing);
  return found !== null && found.size > 0;
}

async function hasOwnNames(path: string): Promise<boolean> {
  for await (const entry of await opendir(path)) if (OWN_NAMES.test(entry.name)) return true;
  return false;
}

/** Writes the id in an order that {@link judgeDirectory} can recognise if the start is cut off. */
async function settle(
  path: string,
  id: string,
  database: DatabaseSync,
  before: string | null,
): Promise<void> {
  const pending = pendingOf(path);
  try {
    if (before !== id) await writeDurably(pending, `${id}\n`);
    guarded(() => database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(DIRECTORY_ID, id));
    await rename(pending, path);
    await syncFolder(dirname(path));
  } catch (error) {
    throw error instanceof CodedError ? error : directoryError('directory-unusable', messageOf(error));
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', PRIVATE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolder(dirname(path));
}
