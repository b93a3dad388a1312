import { HOST, Sizes } from './journal-sizes.ts';

/**
 * The part of the journal that is kept in memory: how many events each owner has, and the floor of each
 * reader, which is the newest dropped event that a position of the reader can have missed. If a transaction
 * is rolled back, its changes here are too.
 */
export class Tally {
  readonly #counts = new Map<number, number>();
  readonly #sizes = new Sizes();
  readonly #floors = new Map<number, number>();
  #total = 0;
  #newest = 0;
  #undo: (() => void)[] = [];

  /** The number of events of all owners. */
  get total(): number {
    return this.#total;
  }

  /** The sequence number of the newest event of all. */
  get newest(): number {
    return this.#newest;
  }

  get owners(): readonly number[] {
    return [...this.#counts.keys()];
  }

  count(owner: number): number {
    return this.#counts.get(owner) ?? 0;
  }

  floor(reader: number): number {
    return this.#floors.get(reader) ?? 0;
  }

  /** The instance with the most events, and its lead on the next; the host if no instance has events. */
  largest(): { owner: number; lead: number } {
    return this.#sizes.largest();
  }

  add(owner: number, events: number): void {
    const before = this.count(owner);
    const count = before + events;
    if (owner !== HOST) this.#sizes.move(owner, before, count);
    this.#total += events;
    if (count > 0) this.#counts.set(owner, count);
    else this.#counts.delete(owner);
    this.#undo.push(() => this.add(owner, -events));
  }

  setNewest(sequence: number): void {
    const before = this.#newest;
    this.#newest = sequence;
    this.#undo.push(() => {
      this.#newest = before;
    });
  }

  setFloor(reader: number, sequence: number | undefined): void {
    const before = this.#floors.get(reader);
    if (sequence === undefined) this.#floors.delete(reader);
    else this.#floors.set(reader, sequence);
    this.#undo.push(() => this.setFloor(reader, before));
  }

  /** Makes the changes since the last call final, after a commit. */
  keep(): void {
    this.#undo = [];
  }

  /** Undoes the changes since the last call of `keep`. */
  rollBack(): void {
    const undo = this.#undo;
    this.#undo = [];
    for (const step of undo.reverse()) step();
    this.#undo = [];
  }
}
