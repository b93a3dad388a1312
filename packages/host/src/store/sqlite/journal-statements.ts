import type { DatabaseSync } from 'node:sqlite';
import { EVENT_TYPES, type EventType } from '../../core/entities.ts';

type Statement = ReturnType<DatabaseSync['prepare']>;

/** The journal's statements, prepared once. */
export function statementsOf(database: DatabaseSync) {
  return {
    counts: database.prepare(
      'SELECT share AS owner, count(*) AS count FROM events WHERE sequence <= ? GROUP BY share',
    ),
    floors: database.prepare('SELECT * FROM journal_floors'),
    newest: database.prepare('SELECT sequence FROM journal_newest'),
    putNewest: database.prepare('UPDATE journal_newest SET sequence = ?'),
    put: database.prepare(
      'INSERT INTO events (sequence, instance_id, type, timestamp, metadata, share, minute) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    hasStaged: database.prepare('SELECT 1 FROM events WHERE sequence > ? LIMIT 1'),
    dropStaged: database.prepare(
      'DELETE FROM events WHERE sequence IN (SELECT sequence FROM events WHERE sequence > ? LIMIT ?)',
    ),
    dropStagedOf: database.prepare('DELETE FROM events WHERE instance_id = ? AND sequence > ?'),
    pages: pagesOf(database),
    oldest: database.prepare(
      'SELECT sequence, instance_id, share, minute FROM events WHERE sequence <= ? ORDER BY sequence LIMIT ?',
    ),
    oldestOf: database.prepare(
      'SELECT sequence, instance_id, share FROM events WHERE share = ? AND sequence <= ? ORDER BY sequence LIMIT ?',
    ),
    drop: database.prepare('DELETE FROM events WHERE sequence = ?'),
    putFloor: database.prepare('INSERT OR REPLACE INTO journal_floors VALUES (?, ?)'),
    deleted: database.prepare('SELECT * FROM journal_deleted'),
    putDeleted: database.prepare('INSERT OR IGNORE INTO journal_deleted VALUES (?)'),
    dropDeleted: database.prepare('DELETE FROM journal_deleted WHERE instance_id = ?'),
    forgetFloor: database.prepare('DELETE FROM journal_floors WHERE instance_id = ?'),
  };
}

/** One statement for each type, to read several in parallel. Each reads only the rows that it returns. */
function pagesOf(database: DatabaseSync): ReadonlyMap<string, Statement> {
  const of = (type: EventType) =>
    database.prepare(`
      SELECT * FROM events WHERE instance_id IS ? AND type = '${type}' AND sequence > ?
        AND sequence <= ?
      ORDER BY sequence LIMIT ?`);
  return new Map(EVENT_TYPES.map((type) => [type, of(type)]));
}

/** A row as SQLite returns it. */
export type Row = Record<string, unknown>;

/** Merges rows of several statements in the order of their sequence numbers; reads them only as needed. */
export function* inOrder(sources: readonly Iterator<Row>[]): Generator<Row> {
  const heads = sources.map((source) => source.next());
  try {
    for (;;) {
      let first = -1;
      for (const [at, { done, value }] of heads.entries()) {
        if (!done && (first < 0 || numberOf(value) < numberOf(heads[first]?.value))) first = at;
      }
      const head = heads[first];
      if (head === undefined || head.done) return;
      yield head.value;
      heads[first] = sources[first]!.next();
    }
  } finally {
    for (const source of sources) source.return?.();
  }
}

const numberOf = (row: Row) => row['sequence'] as number;
