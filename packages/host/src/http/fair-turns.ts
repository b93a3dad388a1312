import { LeastFirst } from './least-first.ts';

/** Work of guests in one turn of the event loop. Then sockets, operators and timers get theirs. */
export const SLICE_US = 2_000;
/** Idle keys that are remembered while others wait, before those that no longer matter are looked for. */
const IDLE_KEYS_MAX = 256;
const US_PER_MS = 1_000;

/** Does some work when the turn of its owner comes: at once, if nobody else waits. */
export type Turn = (work: () => void) => void;

/** What the turns need of the world. */
export interface TurnTools {
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Calls back in the next turn of the event loop, after sockets have been looked at. */
  readonly later: (callback: () => void) => void;
}

/** The work of one key. */
interface Line {
  /** Time that the key has used, in microseconds. Only differences between keys mean something. */
  rank: number;
  readonly works: (() => void)[];
}

const SYSTEM: TurnTools = { nowMs: () => performance.now(), later: setImmediate };

/**
 * Shares one thread among many keys (instances) by time: of those that have work, the one that has used least
 * comes next. Work of one key is done in order.
 *
 * Invariants:
 * - Idle time is not saved up: a key that comes back stands where the one stands that has used least.
 * - A pause hides nothing: while others wait, what a key has used stays known.
 * - A turn of the event loop ends after `SLICE_US` and the piece of work that crosses it, so pieces are short.
 */
export class FairTurns {
  readonly #failed: (error: unknown) => void;
  readonly #tools: TurnTools;
  readonly #lines = new Map<string, Line>();
  /** Lines with work, without the one that is served. */
  readonly #waiting = new LeastFirst<Line>();
  #served: Line | undefined;
  /** What the line that is or was served had used before. */
  #least = 0;
  /** Of the slice of this turn of the event loop. */
  #usedUs = 0;
  #planned = false;

  /** @param failed gets what a piece of work threw; the others go on */
  constructor(failed: (error: unknown) => void, tools: TurnTools = SYSTEM) {
    this.#failed = failed;
    this.#tools = tools;
  }

  /** Does the work when the turn of `key` comes: at once, if nobody waits and the slice is not used up. */
  add(key: string, work: () => void): void {
    const line = this.#lineOf(key);
    line.works.push(work);
    if (line.works.length === 1 && line !== this.#served) this.#enter(line);
    if (this.#served === undefined) this.#serveAll();
  }

  /** The turns of one key. */
  of(key: string): Turn {
    return (work) => this.add(key, work);
  }

  /** Settles when all that waits now has been done. */
  async settled(): Promise<void> {
    const lines = [...this.#lines.values()].filter(({ works }) => works.length > 0);
    await Promise.all(lines.map(({ works }) => new Promise<void>((resolve) => works.push(resolve))));
  }

  /** Keys that are remembered. */
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

  /** Does the first work of a line. */
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

  /** The next turn of the event loop has a whole slice. */
  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    this.#tools.later(() => {
      this.#planned = false;
      this.#usedUs = 0;
      if (this.#waiting.size > 0) this.#serveAll();
    });
  }

  /** When nobody waits, nobody is behind anybody. */
  #forgetIdle(): void {
    if (this.#waiting.size === 0) this.#lines.clear();
    else if (this.#lines.size > 2 * this.#waiting.size + IDLE_KEYS_MAX) {
      for (const [key, line] of this.#lines)
        if (line.works.length === 0 && line.rank <= this.#least) this.#lines.delete(key);
    }
  }
}
