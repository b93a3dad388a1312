import type { DatabaseSync } from 'node:sqlite';
import { SLICE } from '../../base/slices.ts';
import type { EventPage, EventQuery, JournalSpan, NewEvent, StoredEvent } from '../../core/entities.ts';
import {
  DROPPED_FOR_ONE,
  DROPPED_PER_COMMIT_MAX,
  DROPPED_PER_LOOK,
  DROPPED_WHILE_IDLE,
  FORGOTTEN_AT_ONCE,
  type JournalLimits,
} from './journal-limits.ts';
import { HOST } from './journal-sizes.ts';
import { StagedEvents } from './journal-staged.ts';
import { inOrder, type Row, statementsOf } from './journal-statements.ts';
import { Tally } from './journal-tally.ts';
import { OpenTime } from './open-time.ts';
import { eventColumns, eventOf, ownerOf } from './rows.ts';

/**
 * The stored events. Each event has one reader, an instance or the host, and one owner, whose limit it counts
 * for: the instance that caused it, else its reader. Invariants: sequence numbers always grow and are never
 * used twice, also if all events are gone. A reader's floor is its newest dropped event among those that it
 * owned or that were dropped for their age. So a reader at the floor or later has missed nothing, except, in
 * the host's stream, events that instances have caused; of these the newest of each instance are kept.
 * Methods that write must run inside a transaction, and a call of `settled` or `rolledBack` follows.
 */
export class Journal {
  readonly #limits: JournalLimits;
  readonly #statements: ReturnType<typeof statementsOf>;
  readonly #tally = new Tally();
  readonly #openTime: OpenTime;
  /** The events of a large change before its commit. */
  readonly staged: StagedEvents;
  /** The number that the newest missing events of instances share. */
  #missing = 0;
  /** No event is from an earlier minute. */
  #oldestMinute = 0;
  /** By owner, the events of a large change that are not counted yet. */
  #uncounted: Iterator<[number, readonly StoredEvent[]], undefined> = new Map().entries();
  /** Deleted instances that still have events. */
  readonly #deleted = new Set<number>();

  /** @param monotonicMs a clock that never jumps */
  constructor(database: DatabaseSync, limits: JournalLimits, monotonicMs: () => number) {
    this.#limits = limits;
    this.#statements = statementsOf(database);
    this.#openTime = new OpenTime(database, monotonicMs);
    const { counts, floors, newest, deleted } = this.#statements;
    this.#tally.setNewest(Number(newest.get()?.['sequence'] ?? 0));
    for (const { owner, count } of counts.all(this.#tally.newest) as { owner: number; count: number }[]) {
      this.#tally.add(owner, count);
    }
    for (const row of deleted.all()) this.#deleted.add(Number(row['instance_id']));
    for (const row of floors.all()) this.#tally.setFloor(Number(row['instance_id']), Number(row['sequence']));
    this.#tally.keep();
    this.staged = new StagedEvents(this.#statements, () => this.#tally.newest);
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
    this.staged.checkRoom();
    this.#statements.putNewest.run(this.#tally.newest);
    const added = new Map<number, number>();
    for (const event of stored) added.set(ownerOf(event), (added.get(ownerOf(event)) ?? 0) + 1);
    if (tight) for (const [owner, count] of added) this.#makeRoom(owner, count);
    this.#trim(added.keys(), stored.length + DROPPED_PER_COMMIT_MAX);
    return stored;
  }

  /** Writes some events of a large change before its commit. All of them are events of instances. */
  stage(events: readonly NewEvent[]): void {
    this.staged.add(events, this.#openTime.minutes());
  }

  /** Lets readers see the staged events. The events that {@link append} adds in the same transaction follow them. */
  makeTrue(): void {
    const { last } = this.staged;
    this.staged.makeTrue();
    this.#tally.setNewest(Math.max(last, this.#tally.newest));
    this.#statements.putNewest.run(this.#tally.newest);
  }

  /** The large change is over. @param done whether it is in effect now: {@link countStaged} counts its events then */
  endStaging(done: boolean): void {
    while (!this.countStaged());
    if (done) this.#uncounted = this.staged.events.entries();
    this.staged.end();
  }

  /**
   * Counts some of the events of a large change, after its commit. Until then their owners may keep more events than
   * their limits. Must not run inside a transaction.
   * @returns whether all are counted
   */
  countStaged(): boolean {
    let counted = 0;
    for (; counted < SLICE; counted++) {
      const { done, value } = this.#uncounted.next();
      if (done) break;
      this.#tally.add(value[0], value[1].length);
    }
    this.#tally.keep();
    return counted < SLICE;
  }

  /** Whether there are events to drop, which commits have left for later. */
  get hasExcess(): boolean {
    const most = this.#tally.count(this.#tally.largest().owner);
    if (most > this.#limits.instanceEvents) return this.#tally.largest().owner !== HOST;
    return (
      this.#tally.total > this.#limits.events && most > this.#sure && this.#tally.largest().owner !== HOST
    );
  }

  /** Drops some of the events that commits have left for later, of the instances that have the most. */
  dropExcess(): void {
    const { owner } = this.#tally.largest();
    const over = this.#tally.count(owner) - this.#share(owner);
    const dropped = this.#dropOldestOf(owner, Math.min(over, DROPPED_WHILE_IDLE));
    if (dropped === 0) this.#trimAll(DROPPED_WHILE_IDLE);
  }

  /** Whether {@link trim} has something to do. */
  get isTrimDue(): boolean {
    const isMore = (owner: number) => this.#tally.count(owner) > this.#share(owner);
    if (this.#openTime.isUnsaved || this.#oldestMinute < this.#openTime.since(this.#limits.days)) return true;
    return this.#tally.total > this.#limits.events || this.#tally.owners.some(isMore);
  }

  /** Drops some of the events that are too old or too many. Call it also while nothing is written. */
  trim(): void {
    this.#openTime.save();
    this.#trim(this.#tally.owners, DROPPED_PER_COMMIT_MAX);
    this.#trimAged(DROPPED_PER_COMMIT_MAX);
  }

  /** Whether deleted instances still have events. These have no reader, because no instance gets the id again. */
  get hasDeleted(): boolean {
    return this.#deleted.size > 0;
  }

  /** Marks an instance as deleted: all its events may be dropped. */
  forget(instanceId: number): void {
    this.#statements.putDeleted.run(instanceId);
    this.#deleted.add(instanceId);
  }

  /** Tells readers of all positions of an instance so far that events may be missing. */
  breakHistory(instanceId: number): void {
    // What is missing has a number of its own: a reader who has seen everything so far has missed it too.
    if (this.#tally.newest !== this.#missing) {
      this.#missing = this.#tally.newest + 1;
      this.#tally.setNewest(this.#missing);
      this.#statements.putNewest.run(this.#missing);
    }
    this.#raiseFloor(instanceId, this.#missing);
  }

  /** Drops some events of deleted instances. */
  dropDeleted(): void {
    const [instanceId] = this.#deleted;
    if (instanceId === undefined) return;
    if (this.#dropOldestOf(instanceId, FORGOTTEN_AT_ONCE) === FORGOTTEN_AT_ONCE) return;
    this.#statements.forgetFloor.run(instanceId);
    this.#statements.dropDeleted.run(instanceId);
    this.#tally.setFloor(instanceId, undefined);
    this.#deleted.delete(instanceId);
  }

  /** Call it after a commit. */
  settled(): void {
    this.#tally.keep();
  }

  /** Call it after a rollback. */
  rolledBack(): void {
    this.#tally.rollBack();
  }

  /** The positions after which none of a reader's events is missing. */
  span(instanceId: number | null): JournalSpan {
    return { oldest: this.#tally.floor(instanceId ?? HOST), newest: this.#tally.newest };
  }

  /**
   * A page of a reader's events, in order, up to the requested number and bytes, but at least one. Apart from
   * one row of each type, only these rows are read.
   */
  page({ instanceId, after, types, events, bytes }: EventQuery): EventPage {
    const found: StoredEvent[] = [];
    let size = 0;
    const sources = [...this.#statements.pages]
      .filter(([type]) => types.has(type))
      .map(([, statement]) => statement.iterate(instanceId, after, this.#tally.newest, events + 1));
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
    const sequence = this.#tally.newest + 1;
    this.#statements.put.run(...eventColumns(event, sequence, minute));
    this.#tally.add(ownerOf(event), 1);
    this.#tally.setNewest(sequence);
    return sequence;
  }

  #trim(owners: Iterable<number>, max: number): void {
    let left = max;
    for (const owner of owners) {
      const excess = this.#tally.count(owner) - this.#share(owner);
      left -= this.#dropOldestOf(owner, Math.min(excess, left));
    }
    this.#trimAll(left);
  }

  /** Maximum number of events of an owner. The host's may take half of the journal; the rest is for the instances. */
  #share(owner: number): number {
    return owner === HOST ? Math.floor(this.#limits.events / 2) : this.#limits.instanceEvents;
  }

  /** The number of events that no other instance can displace. */
  get #sure(): number {
    return Math.min(this.#limits.sureEvents, this.#limits.instanceEvents);
  }

  /** If there are too many events in total, drops those of the instances that have the most. */
  #trimAll(max: number): void {
    for (let left = max; left > 0; ) {
      const excess = this.#tally.total - this.#limits.events;
      const { owner, lead } = this.#tally.largest();
      const more = this.#tally.count(owner) - this.#sure;
      if (excess <= 0 || owner === HOST || more <= 0) break;
      const atOnce = Math.min(excess, left, more, Math.max(lead, DROPPED_PER_LOOK));
      const dropped = this.#dropOldestOf(owner, atOnce);
      if (dropped === 0) break;
      left -= dropped;
    }
  }

  #trimAged(max: number): void {
    const from = this.#openTime.since(this.#limits.days);
    const aged: Row[] = [];
    let oldest = this.#openTime.minutes();
    for (const row of this.#statements.oldest.iterate(this.#tally.newest, max)) {
      oldest = Number(row['minute']);
      if (oldest >= from) break;
      aged.push(row);
    }
    // Not if some are dropped: the transaction may still fail.
    if (aged.length === 0) this.#oldestMinute = oldest;
    for (const row of aged) {
      this.#drop(row);
      this.#raiseFloor(readerOf(row), Number(row['sequence']));
    }
  }

  /** @param added the number of new events of this owner, which stay */
  #makeRoom(owner: number, added: number): void {
    this.#dropOldestOf(owner, Math.min(added * DROPPED_FOR_ONE, this.#tally.count(owner) - added));
  }

  #dropOldestOf(owner: number, count: number): number {
    if (count <= 0) return 0;
    const rows = this.#statements.oldestOf.all(owner, this.#tally.newest, count);
    for (const row of rows) {
      this.#drop(row);
      // Host events that an instance caused do not raise the host's floor: operators keep their positions.
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

function readerOf(row: Row): number {
  return Number(row['instance_id'] ?? HOST);
}
