import { directoryError } from './directory-errors.ts';

/** The contents of a state directory, except the contents of its database. */
export interface DirectoryFacts {
  /** Paths of the database and of the file with the id, for messages. */
  readonly paths: { readonly database: string; readonly id: string };
  /** The id in the file; null if there is no file, '' if its text is not an id. */
  readonly id: string | null;
  /** A new id, if an earlier daemon ended while it gave that id to the database. */
  readonly pending: string | null;
  /** Whether there are files of instances or images. */
  readonly hasContent: boolean;
}

/** The contents of the database file: nothing, another program's data, or a store and its id, if any. */
export type DatabaseFacts =
  | { readonly kind: 'none' }
  | { readonly kind: 'other' }
  | { readonly kind: 'own'; readonly id: string | null };

/** The id that directory and database get. `settled`: both had it before this start. */
export interface DirectoryId {
  readonly id: string;
  readonly settled: boolean;
}

const ID = /^[0-9a-f]{32}$/;

/** The id in a file's text; '' if the text is not an id. */
export function idOf(text: string): string {
  return ID.test(text.trim()) ? text.trim() : '';
}

/**
 * Decides whether a database belongs to the directory that it is in. A new id is written first to a file of
 * the directory as pending, then to the database, then to its final file. So a start that was cut off in
 * between is not mistaken for a database of another directory.
 * @param make makes a new id
 * @throws CodedError of the table of directory errors
 */
export function judgeDirectory(
  directory: DirectoryFacts,
  database: DatabaseFacts,
  make: () => string,
): DirectoryId {
  const { paths, id, pending, hasContent } = directory;
  if (database.kind === 'other') throw directoryError('database-other', paths.database);
  if (database.kind === 'none') {
    if (id !== null || hasContent) throw directoryError('database-missing', paths.database);
    return { id: pending || make(), settled: false };
  }
  if (database.id === null) {
    if (id !== null) throw directoryError('database-without-id', paths.database, paths.id);
    return { id: pending || make(), settled: false };
  }
  if (id === '') throw directoryError('id-unreadable', paths.id, database.id);
  if (id === null) {
    if (pending !== database.id && hasContent) throw directoryError('id-missing', database.id, paths.id);
    return { id: database.id, settled: false };
  }
  if (id !== database.id) throw directoryError('database-foreign', paths.database, database.id, id);
  return { id, settled: true };
}
