import type { DatabaseSync } from 'node:sqlite';
import type { DatabaseFacts } from './directory-id.ts';
import { versionOf } from './open.ts';

/** The key of the row with the id of the state directory. */
export const DIRECTORY_ID = 'directory-id';

/** Whether a database is a store, and of which state directory. */
export function lookInto(database: DatabaseSync): DatabaseFacts {
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  const names = new Set(tables.map((row) => row['name']));
  if (names.size === 0) return { kind: 'none' };
  if (versionOf(database) === 0 || !names.has('instances')) return { kind: 'other' };
  if (!names.has('meta')) return { kind: 'own', id: null };
  const row = database.prepare('SELECT value FROM meta WHERE key = ?').get(DIRECTORY_ID);
  return { kind: 'own', id: row ? String(row['value']) : null };
}
