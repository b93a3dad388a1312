import type { DatabaseSync } from 'node:sqlite';
import type { EventPage, EventQuery, JournalSpan, NewEvent, StoredEvent } from '../core/model.ts';
import { eventOf } from './rows.ts';

/** How much of the past is kept. */
export interface JournalLimits {
  /** Events of all instances and of the host. */
  readonly events: number;
  /** Events of one instance, so that one that changes without end takes nothing from the others. */
  readonly instanceEvents: number;
  readonly days: number;
}

export const DEFAULT_JOURNAL_LIMITS: JournalLimits = { events: 100_000, instanceEvents: 5_000, days: 30 };

/** Events dropped by one commit beyond those that it adds: a commit must not wait for a great clean-up. */
const DROPPED_PER_COMMIT_MAX = 1_000;
const MS_PER_DAY = 86_400_000;

/** Whose events: an instance's id, or the host's own. Ids of instances begin at 1. */
const HOST = 0;
const ownerOf = (instanceId: number | null): number => instanceId ?? HOST;

/**
 * The events that are kept. Invariants: sequence numbers grow for ever and are never given twice, also when
 * all events have gone; an owner's floor is the newest of its events that was dropped, so a position from the
 * floor on has missed nothing. What writes must run inside a transaction, and is followed by `reload` when
 * that fails.
 */
export class Journal {
  readonly #limits: JournalLimits;
  readonly #statements: ReturnType<typeof statementsOf>;
  readonly #counts = new Map<number, number>();
  readonly #floors = new Map<number, number>();
  #total = 0;
  #newest = 0;

  constructor(database: DatabaseSync, limits: JournalLimits) {
    this.#limits = limits;
    this.#statements = statementsOf(database);
    this.reload();
  }

  /** Reads anew what is kept in memory beside the rows. */
  reload(): void {
    const { counts, floors, newest } = this.#statements;
    this.#counts.clear();
    this.#floors.clear();
    this.#total = 0;
    for (const { owner, count } of counts.all() as { owner: number; count: number }[]) {
      this.#counts.set(owner, count);
      this.#total += count;
    }
    for (const row of floors.all()) this.#floors.set(Number(row['instance_id']), Number(row['sequence']));
    this.#newest = Number(newest.get()?.['seq'] ?? 0);
  }

  /** Writes events, and drops old ones to make room. @returns the events with their sequence numbers, in order */
  append(events: readonly NewEvent[]): readonly StoredEvent[] {
    const stored = events.map((event) => ({ ...event, sequence: this.#put(event) }));
    const last = stored.at(-1);
    if (last) {
      const owners = new Set(stored.map(({ instanceId }) => ownerOf(instanceId)));
      this.#trim(last.timestamp, owners, stored.length + DROPPED_PER_COMMIT_MAX);
    }
    return stored;
  }

  /** Drops some of what is too old or too much; for times in which nothing is written. */
  trim(now: string): void {
    this.#trim(now, this.#counts.keys(), DROPPED_PER_COMMIT_MAX);
  }

  /** Drops all of a deleted instance: its id never comes back. */
  forget(instanceId: number): void {
    this.#statements.forgetEvents.run(instanceId);
    this.#statements.forgetFloor.run(instanceId);
    this.#total -= this.#counts.get(instanceId) ?? 0;
    this.#counts.delete(instanceId);
    this.#floors.delete(instanceId);
  }

  /** From where to where an owner's events are known without a hole. */
  span(instanceId: number | null): JournalSpan {
    return { oldest: this.#floors.get(ownerOf(instanceId)) ?? 0, newest: this.#newest };
  }

  /** A part of an owner's events, in order, no larger than asked for but at least one. */
  page({ instanceId, after, types, events, bytes }: EventQuery): EventPage {
    const found: StoredEvent[] = [];
    let size = 0;
    let reached = after;
    const rows = this.#statements.page.iterate(instanceId, after, JSON.stringify([...types]));
    for (const row of rows as Iterable<Record<string, unknown>>) {
      if (found.length >= events || size >= bytes) return { events: found, more: true, reached };
      found.push(eventOf(row));
      reached = found.at(-1)!.sequence;
      size += (row['metadata'] as string).length;
    }
    return { events: found, more: false, reached: Math.max(after, this.#newest) };
  }

  #put({ instanceId, type, timestamp, metadata }: NewEvent): number {
    const { put } = this.#statements;
    const { lastInsertRowid } = put.run(instanceId, type, timestamp, JSON.stringify(metadata));
    const owner = ownerOf(instanceId);
    this.#counts.set(owner, (this.#counts.get(owner) ?? 0) + 1);
    this.#total++;
    this.#newest = Number(lastInsertRowid);
    return this.#newest;
  }

  #trim(now: string, owners: Iterable<number>, max: number): void {
    let left = max;
    for (const owner of [...owners]) {
      const excess = (this.#counts.get(owner) ?? 0) - this.#share(owner);
      if (excess <= 0) continue;
      const instanceId = owner === HOST ? null : owner;
      for (const row of this.#statements.oldestOf.all(instanceId, Math.min(excess, left))) this.#drop(row);
      left -= Math.min(excess, left);
    }
    this.#trimOldest(now, left);
  }

  /** The host's own events, of which instances cause some, may take half; the rest is for the instances. */
  #share(owner: number): number {
    return owner === HOST ? Math.floor(this.#limits.events / 2) : this.#limits.instanceEvents;
  }

  #trimOldest(now: string, max: number): void {
    const cutoff = new Date(Date.parse(now) - this.#limits.days * MS_PER_DAY).toISOString();
    let excess = this.#total - this.#limits.events;
    const doomed: Record<string, unknown>[] = [];
    for (const row of this.#statements.oldest.iterate(max)) {
      if (excess <= 0 && (row['timestamp'] as string) >= cutoff) break;
      doomed.push(row);
      excess--;
    }
    for (const row of doomed) this.#drop(row);
  }

  #drop(row: Record<string, unknown>): void {
    const sequence = Number(row['sequence']);
    const owner = ownerOf(row['instance_id'] as number | null);
    this.#statements.drop.run(sequence);
    this.#statements.putFloor.run(owner, sequence);
    this.#floors.set(owner, sequence);
    this.#counts.set(owner, (this.#counts.get(owner) ?? 0) - 1);
    this.#total--;
  }
}

function statementsOf(database: DatabaseSync) {
  return {
    counts: database.prepare(
      'SELECT coalesce(instance_id, 0) AS owner, count(*) AS count FROM events GROUP BY instance_id',
    ),
    floors: database.prepare('SELECT * FROM journal_floors'),
    newest: database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'"),
    put: database.prepare('INSERT INTO events (instance_id, type, timestamp, metadata) VALUES (?, ?, ?, ?)'),
    page: database.prepare(`
      SELECT * FROM events
      WHERE instance_id IS ? AND sequence > ? AND type IN (SELECT value FROM json_each(?))
      ORDER BY sequence`),
    oldest: database.prepare('SELECT sequence, instance_id, timestamp FROM events ORDER BY sequence LIMIT ?'),
    oldestOf: database.prepare(
      'SELECT sequence, instance_id FROM events WHERE instance_id IS ? ORDER BY sequence LIMIT ?',
    ),
    drop: database.prepare('DELETE FROM events WHERE sequence = ?'),
    putFloor: database.prepare('INSERT OR REPLACE INTO journal_floors VALUES (?, ?)'),
    forgetEvents: database.prepare('DELETE FROM events WHERE instance_id = ?'),
    forgetFloor: database.prepare('DELETE FROM journal_floors WHERE instance_id = ?'),
  };
}
