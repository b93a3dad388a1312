import type { DatabaseSync } from 'node:sqlite';

const MS_PER_MINUTE = 60_000;
const SAVED_MINUTES = 60;
const MINUTES_PER_DAY = 1_440;
const KEY = 'minutes-open';

/**
 * Counts the minutes in which the journal was open, over all lives of the daemon. The age of events is
 * counted in these: it does not change if the host's clock jumps, e.g. at each boot. If the daemon ends
 * between two saves, the minutes since the last save are lost, and events are kept a little longer.
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

  /** The minutes so far; they never decrease. */
  minutes(): number {
    return this.#before + Math.floor((this.#monotonicMs() - this.#startMs) / MS_PER_MINUTE);
  }

  /** The first minute of the last days. */
  since(days: number): number {
    return this.minutes() - days * MINUTES_PER_DAY;
  }

  /** Whether {@link save} writes: at most once an hour, to spare the disk. */
  get isUnsaved(): boolean {
    return this.minutes() - this.#saved >= SAVED_MINUTES;
  }

  /** Saves the minutes. Must run inside a transaction. */
  save(): void {
    if (!this.isUnsaved) return;
    const now = this.minutes();
    this.#save.run(KEY, String(now));
    this.#saved = now;
  }
}
