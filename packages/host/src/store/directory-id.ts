import { directoryError } from './directory-errors.ts';

/** What is in a state directory, the inside of its database apart. */
export interface DirectoryFacts {
  /** Of the database, and of the file with the id; for messages. */
  readonly paths: { readonly database: string; readonly id: string };
  /** What the file with the id says; null: there is none, '': it cannot be an id. */
  readonly id: string | null;
  /** An id that was on its way into the database when a daemon ended. */
  readonly pending: string | null;
  /** Whether there are files of instances or images. */
  readonly hasContent: boolean;
}

/** What is in the file of the database: nothing, something of others, or a store with its id, if it has one. */
export type DatabaseFacts =
  | { readonly kind: 'none' }
  | { readonly kind: 'other' }
  | { readonly kind: 'own'; readonly id: string | null };

/** The id that both are to carry. `settled`: both did so before this start. */
export interface DirectoryId {
  readonly id: string;
  readonly settled: boolean;
}

const ID = /^[0-9a-f]{32}$/;

/** The id that a file's text holds; '' for none. */
export function idOf(text: string): string {
  return ID.test(text.trim()) ? text.trim() : '';
}

/**
 * Decides whether a database belongs to the directory that it is in. A new id gets into the directory as "pending",
 * then into the database, then to its place; so an end in between is told apart from a database of others.
 * @param make makes a new id
 * @throws CodedError of the table that says what to do
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
