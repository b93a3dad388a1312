/** Whose events: an instance's id, or the host's own. Ids of instances begin at 1. */
export const HOST = 0;

/**
 * What the journal knows without a look at the disk: how many events each one has, and the newest of each
 * reader's that was dropped. What a transaction has changed here is undone with it.
 */
export class Tally {
  readonly #counts = new Map<number, number>();
  readonly #floors = new Map<number, number>();
  #total = 0;
  #newest = 0;
  #undo: (() => void)[] = [];

  /** Events of all. */
  get total(): number {
    return this.#total;
  }

  /** The number of the newest event of all. */
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

  /** The instance with the most events, and how many more these are than those of the next. */
  largest(): { owner: number; lead: number } {
    let [owner, most, next] = [HOST, 0, 0];
    for (const [each, count] of this.#counts) {
      if (each === HOST || count <= next) continue;
      if (count > most) [owner, most, next] = [each, count, most];
      else next = count;
    }
    return { owner, lead: most - next };
  }

  add(owner: number, events: number): void {
    const count = this.count(owner) + events;
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

  /** What has changed since the last call is settled. */
  keep(): void {
    this.#undo = [];
  }

  /** Takes back what has changed since then. */
  rollBack(): void {
    const undo = this.#undo;
    this.#undo = [];
    for (const step of undo.reverse()) step();
    this.#undo = [];
  }
}
