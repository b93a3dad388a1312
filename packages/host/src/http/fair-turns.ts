import { LeastFirst } from './least-first.ts';

/** Time for guests in one turn of the event loop. Then it is the turn of sockets, operators and timers. */
export const SLICE_US = 2_000;
/** While keys wait, this many idle keys are remembered before those that no longer matter are forgotten. */
const IDLE_KEYS_MAX = 256;
const US_PER_MS = 1_000;

/** Does some work when the turn of its owner comes: at once if no other owner waits. */
export type Turn = (work: () => void) => void;

/** Functions of the system that the turns use; tests replace them. */
export interface TurnTools {
  /** Monotonic time. */
  readonly nowMs: () => number;
  /** Calls back in the next turn of the event loop, after sockets have been looked at. */
  readonly later: (callback: () => void) => void;
}

/** The work of one key. */
interface Line {
  /** Time that the key has used, in microseconds. Only differences between keys have a meaning. */
  rank: number;
  readonly works: (() => void)[];
}

const SYSTEM: TurnTools = { nowMs: () => performance.now(), later: setImmediate };

/**
 * Shares one thread among many keys (instances) by time: of the keys that have work, the one that has used
 * least comes next. Work of one key is done in order.
 *
 * Invariants:
 * - Idle time is not saved up: a key that comes back starts at the time of the key that has used least.
 * - A pause hides nothing: while others wait, the time that a key has used is remembered.
 * - A turn of the event loop ends after `SLICE_US` and the piece of work that crosses it, so pieces are
 *   short.
 */
export class FairTurns {
  readonly #failed: (error: unknown) => void;
  readonly #tools: TurnTools;
  readonly #lines = new Map<string, Line>();
  /** Lines with work, without the one that is being served. */
  readonly #waiting = new LeastFirst<Line>();
  #served: Line | undefined;
  /** Time used, before its turn, by the line that is being served or was served last. */
  #least = 0;
  /** Microseconds used of the slice of this turn of the event loop. */
  #usedUs = 0;
  #planned = false;

  /** @param failed gets the error of a piece of work; the other pieces go on */
  constructor(failed: (error: unknown) => void, tools: TurnTools = SYSTEM) {
    this.#failed = failed;
    this.#tools = tools;
  }

  /** Does the work when the turn of `key` comes: at once if no key waits and the slice is not used up. */
  add(key: string, work: () => void): void {
    const line = this.#lineOf(key);
    line.works.push(work);
    if (line.works.length === 1 && line !== this.#served) this.#enter(line);
    if (this.#served === undefined) this.#serveAll();
  }

  /** A `Turn` for one key. */
  of(key: string): Turn {
    return (work) => this.add(key, work);
  }

  /** Settles when all work that waits now has been done. */
  async settled(): Promise<void> {
    const lines = [...this.#lines.values()].filter(({ works }) => works.length > 0);
    await Promise.all(lines.map(({ works }) => new Promise<void>((resolve) => works.push(resolve))));
  }

  /** Number of keys that are remembered. */
  get size(): number {
    return this.#lines.size;
  }

  #lineOf(key: string): Line {
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { rank: this.#least, works: [] };
      this.#lines.set(key, line);
    }
    return line;
  }

  #enter(line: Line): void {
    line.rank = Math.max(line.rank, this.#least);
    this.#waiting.push(line);
  }

  #serveAll(): void {
    this.#plan();
    while (this.#usedUs < SLICE_US) {
      const line = this.#waiting.pop();
      if (line === undefined) break;
      this.#serve(line);
    }
    this.#forgetIdle();
  }

  /** Does the first piece of work of a line. */
  #serve(line: Line): void {
    this.#least = line.rank;
    this.#served = line;
    const startMs = this.#tools.nowMs();
    try {
      line.works.shift()!();
    } catch (error) {
      this.#failed(error);
    }
    const costUs = (this.#tools.nowMs() - startMs) * US_PER_MS;
    this.#usedUs += costUs;
    line.rank += costUs;
    this.#served = undefined;
    if (line.works.length > 0) this.#waiting.push(line);
  }

  /** Gives the next turn of the event loop a whole slice. */
  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    this.#tools.later(() => {
      this.#planned = false;
      this.#usedUs = 0;
      if (this.#waiting.size > 0) this.#serveAll();
    });
  }

  /** When no key waits, the times used no longer matter. */
  #forgetIdle(): void {
    if (this.#waiting.size === 0) this.#lines.clear();
    else if (this.#lines.size > 2 * this.#waiting.size + IDLE_KEYS_MAX) {
      for (const [key, line] of this.#lines)
        if (line.works.length === 0 && line.rank <= this.#least) this.#lines.delete(key);
    }
  }
}
