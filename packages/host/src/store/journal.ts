import type { DatabaseSync } from 'node:sqlite';
import type { EventPage, EventQuery, JournalSpan, NewEvent, StoredEvent } from '../core/entities.ts';
import type { JournalLimits } from './journal-limits.ts';
import { inOrder, type Row, statementsOf } from './journal-statements.ts';
import { HOST, Tally } from './journal-tally.ts';
import { OpenTime } from './open-time.ts';
import { eventOf } from './rows.ts';

/** Events dropped by one commit beyond those that it adds: a commit must not wait for a great clean-up. */
const DROPPED_PER_COMMIT_MAX = 1_000;
/** Taken from the largest part at a time, however little it is larger than the next: each look costs a walk over all. */
const DROPPED_PER_LOOK = 32;
/** Of deleted instances, at a time: as little as fits into the log of a full disk. */
const FORGOTTEN_AT_ONCE = 64;
/** While the disk is short of room, each event takes the place of so many old ones of the same part. */
const DROPPED_FOR_ONE = 2;
const MINUTES_PER_DAY = 1_440;

/**
 * The events that are kept. An event is read by one reader, an instance or the host, and belongs to one part: its
 * reader's, or that of the instance that has caused it. Invariants: sequence numbers grow for ever and are never
 * given twice, also when all events have gone; a reader's floor is the newest dropped event of its own part, or of
 * any that was dropped for its age. So a position from the floor on has missed nothing, other than what instances
 * have caused in the host's stream, of which each instance's part has the newest. What writes must run inside
 * a transaction, and is followed by `settled` or `rolledBack`.
 */
export class Journal {
  readonly #limits: JournalLimits;
  readonly #statements: ReturnType<typeof statementsOf>;
  readonly #tally = new Tally();
  readonly #openTime: OpenTime;
  /** Deleted instances that have events left. */
  readonly #deleted = new Set<number>();

  /** @param monotonicMs a clock that never jumps */
  constructor(database: DatabaseSync, limits: JournalLimits, monotonicMs: () => number) {
    this.#limits = limits;
    this.#statements = statementsOf(database);
    this.#openTime = new OpenTime(database, monotonicMs);
    const { counts, floors, newest, deleted } = this.#statements;
    for (const { owner, count } of counts.all() as { owner: number; count: number }[]) {
      this.#tally.add(owner, count);
    }
    for (const row of deleted.all()) this.#deleted.add(Number(row['instance_id']));
    for (const row of floors.all()) this.#tally.setFloor(Number(row['instance_id']), Number(row['sequence']));
    this.#tally.setNewest(Number(newest.get()?.['seq'] ?? 0));
    this.#tally.keep();
  }

  /**
   * Writes events, and drops old ones to make room.
   * @param tight whether the disk is short of room
   * @returns the events with their sequence numbers, in order
   */
  append(events: readonly NewEvent[], tight: boolean): readonly StoredEvent[] {
    const minute = this.#openTime.minutes();
    const stored = events.map((event) => ({ ...event, sequence: this.#put(event, minute) }));
    if (stored.length === 0) return stored;
    const added = new Map<number, number>();
    for (const event of stored) added.set(ownerOf(event), (added.get(ownerOf(event)) ?? 0) + 1);
    if (tight) for (const [owner, count] of added) this.#makeRoom(owner, count);
    this.#trim(added.keys(), stored.length + DROPPED_PER_COMMIT_MAX);
    return stored;
  }

  /** Drops some of what is too old or too much; for times in which nothing is written. */
  trim(): void {
    this.#openTime.save();
    this.#trim(this.#tally.owners, DROPPED_PER_COMMIT_MAX);
    this.#trimAged(DROPPED_PER_COMMIT_MAX);
  }

  /** Whether there is something left of deleted instances, which nobody reads any more: their ids never come back. */
  get hasDeleted(): boolean {
    return this.#deleted.size > 0;
  }

  /** From now on all that an instance has here may be dropped. */
  forget(instanceId: number): void {
    this.#statements.putDeleted.run(instanceId);
    this.#deleted.add(instanceId);
  }

  /** Drops some of what deleted instances have left. */
  dropDeleted(): void {
    const [instanceId] = this.#deleted;
    if (instanceId === undefined) return;
    if (this.#dropOldestOf(instanceId, FORGOTTEN_AT_ONCE) === FORGOTTEN_AT_ONCE) return;
    this.#statements.forgetFloor.run(instanceId);
    this.#statements.dropDeleted.run(instanceId);
    this.#tally.setFloor(instanceId, undefined);
    this.#deleted.delete(instanceId);
  }

  /** The transaction has been committed. */
  settled(): void {
    this.#tally.keep();
  }

  /** The transaction has been rolled back. */
  rolledBack(): void {
    this.#tally.rollBack();
  }

  /** From where to where a reader's events are known without a hole. */
  span(instanceId: number | null): JournalSpan {
    return { oldest: this.#tally.floor(instanceId ?? HOST), newest: this.#tally.newest };
  }

  /**
   * A part of a reader's events, in order, no larger than asked for but at least one. No other rows are looked at,
   * but for one of each type.
   */
  page({ instanceId, after, types, events, bytes }: EventQuery): EventPage {
    const found: StoredEvent[] = [];
    let size = 0;
    const sources = [...this.#statements.pages]
      .filter(([type]) => types.has(type))
      .map(([, statement]) => statement.iterate(instanceId, after, events + 1));
    for (const row of inOrder(sources)) {
      if (found.length >= events || size >= bytes) {
        return { events: found, more: true, reached: found.at(-1)?.sequence ?? after };
      }
      found.push(eventOf(row));
      size += (row['metadata'] as string).length;
    }
    return { events: found, more: false, reached: Math.max(after, this.#tally.newest) };
  }

  #put(event: NewEvent, minute: number): number {
    const { instanceId, type, timestamp, metadata } = event;
    const text = JSON.stringify(metadata);
    const { lastInsertRowid } = this.#statements.put.run(
      instanceId,
      type,
      timestamp,
      text,
      ownerOf(event),
      minute,
    );
    this.#tally.add(ownerOf(event), 1);
    this.#tally.setNewest(Number(lastInsertRowid));
    return Number(lastInsertRowid);
  }

  #trim(owners: Iterable<number>, max: number): void {
    let left = max;
    for (const owner of owners) {
      const excess = this.#tally.count(owner) - this.#share(owner);
      left -= this.#dropOldestOf(owner, Math.min(excess, left));
    }
    this.#trimAll(left);
  }

  /** The host's own events may take half; the rest is for the instances. */
  #share(owner: number): number {
    return owner === HOST ? Math.floor(this.#limits.events / 2) : this.#limits.instanceEvents;
  }

  /** What is too much in all is taken from the instances that have the most, so that few cannot use up the whole. */
  #trimAll(max: number): void {
    for (let left = max; left > 0; ) {
      const excess = this.#tally.total - this.#limits.events;
      const { owner, lead } = this.#tally.largest();
      if (excess <= 0 || owner === HOST) break;
      const dropped = this.#dropOldestOf(owner, Math.min(excess, left, Math.max(lead, DROPPED_PER_LOOK)));
      if (dropped === 0) break;
      left -= dropped;
    }
  }

  #trimAged(max: number): void {
    const oldest = this.#openTime.minutes() - this.#limits.days * MINUTES_PER_DAY;
    const aged: Row[] = [];
    for (const row of this.#statements.oldest.iterate(max)) {
      if (Number(row['minute']) >= oldest) break;
      aged.push(row);
    }
    for (const row of aged) {
      this.#drop(row);
      this.#raiseFloor(readerOf(row), Number(row['sequence']));
    }
  }

  /** @param added events of this part that are to stay */
  #makeRoom(owner: number, added: number): void {
    this.#dropOldestOf(owner, Math.min(added * DROPPED_FOR_ONE, this.#tally.count(owner) - added));
  }

  #dropOldestOf(owner: number, count: number): number {
    if (count <= 0) return 0;
    const rows = this.#statements.oldestOf.all(owner, count);
    for (const row of rows) {
      this.#drop(row);
      // What an instance has caused is the host's to read, but no operator loses his place by it.
      if (readerOf(row) === owner) this.#raiseFloor(owner, Number(row['sequence']));
    }
    return rows.length;
  }

  #drop(row: Row): void {
    this.#statements.drop.run(Number(row['sequence']));
    this.#tally.add(Number(row['share']), -1);
  }

  #raiseFloor(reader: number, sequence: number): void {
    if (sequence <= this.#tally.floor(reader)) return;
    this.#statements.putFloor.run(reader, sequence);
    this.#tally.setFloor(reader, sequence);
  }
}

function ownerOf({ instanceId, causedBy }: NewEvent): number {
  return causedBy ?? instanceId ?? HOST;
}

function readerOf(row: Row): number {
  return Number(row['instance_id'] ?? HOST);
}
