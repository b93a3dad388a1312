import type { NewEvent, StoredEvent } from '../../core/entities.ts';
import type { statementsOf } from './journal-statements.ts';
import { eventColumns, ownerOf } from './rows.ts';

/**
 * How many numbers other events can get while a large change is staged. The rest of this gap is never used. There are
 * enough numbers for 2^33 large changes.
 */
const GAP = 2 ** 20;
/** Events that are dropped at a time. */
const DROPPED_AT_ONCE = 500;

/**
 * The events of a large change before its commit. Until then their numbers are higher than those of all other events.
 * Readers see no event with a number above the newest. So the order of the numbers is the order of the commits.
 */
export class StagedEvents {
  readonly #statements: ReturnType<typeof statementsOf>;
  readonly #newest: () => number;
  /** By instance, in the order of their numbers. */
  #events = new Map<number, StoredEvent[]>();
  #first = 0;
  /** 0 if no large change is staged. */
  #next = 0;
  #true = false;

  /** @param newest gives the number of the newest event that readers see */
  constructor(statements: ReturnType<typeof statementsOf>, newest: () => number) {
    this.#statements = statements;
    this.#newest = newest;
  }

  /** Whether there are events of an interrupted large change. They must be dropped before the next one. */
  get hasLeft(): boolean {
    return this.#next === 0 && this.#statements.hasStaged.get(this.#newest()) !== undefined;
  }

  /** The number of the last event; 0 if there is none. */
  get last(): number {
    return this.#events.size === 0 ? 0 : this.#next - 1;
  }

  /** By instance, the events with their numbers. */
  get events(): ReadonlyMap<number, readonly StoredEvent[]> {
    return this.#events;
  }

  begin(): void {
    this.#first = this.#newest() + GAP;
    this.#next = this.#first;
    this.#true = false;
  }

  /** Writes events of instances. Must run inside a transaction. */
  add(events: readonly NewEvent[], minute: number): void {
    for (const event of events) {
      const sequence = this.#next++;
      this.#statements.put.run(...eventColumns(event, sequence, minute));
      const mine = this.#events.get(ownerOf(event)) ?? [];
      this.#events.set(ownerOf(event), mine);
      mine.push({ ...event, sequence });
    }
  }

  /** Drops the events of one instance again. Must run inside a transaction. */
  dropOf(instanceId: number): void {
    if (!this.#events.delete(instanceId)) return;
    this.#statements.dropStagedOf.run(instanceId, this.#newest());
  }

  /** Drops some events of an interrupted large change. Must run inside a transaction. */
  dropLeft(): void {
    this.#statements.dropStaged.run(this.#newest(), DROPPED_AT_ONCE);
  }

  /** The large change is over. */
  end(): void {
    // A new map, because others may still use the old one.
    this.#events = new Map();
    this.#next = 0;
  }

  /** The commit of the large change begins. From now on other events may have higher numbers. */
  makeTrue(): void {
    this.#true = true;
  }

  /** @throws if other events have used up the gap */
  checkRoom(): void {
    const isOpen = this.#next > 0 && !this.#true;
    if (isOpen && this.#newest() >= this.#first) throw new Error('a large change was staged for too long');
  }
}
