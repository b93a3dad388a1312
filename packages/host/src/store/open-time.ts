import type { DatabaseSync } from 'node:sqlite';

const MS_PER_MINUTE = 60_000;
const SAVED_MINUTES = 60;
const KEY = 'minutes-open';

/**
 * Minutes for which the journal has been open, over all runs of the daemon. Events grow old by these: a clock of the
 * host that jumps, at one boot or at each, makes no event older. An end of the daemon between two saves gives
 * some of them back, so that events are kept a little longer.
 */
export class OpenTime {
  readonly #save: ReturnType<DatabaseSync['prepare']>;
  readonly #monotonicMs: () => number;
  readonly #before: number;
  readonly #startMs: number;
  #saved: number;

  constructor(database: DatabaseSync, monotonicMs: () => number) {
    const saved = database.prepare('SELECT value FROM meta WHERE key = ?').get(KEY)?.['value'];
    const newest = database.prepare('SELECT minute FROM events ORDER BY sequence DESC LIMIT 1').get();
    this.#save = database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)');
    this.#monotonicMs = monotonicMs;
    this.#startMs = monotonicMs();
    this.#before = Math.max(Number(saved ?? 0), Number(newest?.['minute'] ?? 0));
    this.#saved = this.#before;
  }

  /** Never goes back. */
  minutes(): number {
    return this.#before + Math.floor((this.#monotonicMs() - this.#startMs) / MS_PER_MINUTE);
  }

  /** Now and then: a host at rest is not to write all the time. Must run inside a transaction. */
  save(): void {
    const now = this.minutes();
    if (now - this.#saved < SAVED_MINUTES) return;
    this.#save.run(KEY, String(now));
    this.#saved = now;
  }
}
