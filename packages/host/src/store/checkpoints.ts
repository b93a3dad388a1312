import type { DatabaseSync } from 'node:sqlite';

/** Without a commit for so long, the disk has nothing better to do. */
const QUIET_MS = 100;

/**
 * Moves SQLite's log into the database (sqlite.org/wal.html, "Checkpointing") in quiet moments, and does then what
 * else can wait. Where there are none, SQLite does it within a commit, for which a change waits some
 * milliseconds, once in hundreds of changes.
 */
export class Checkpoints {
  readonly #database: DatabaseSync;
  readonly #timer: NodeJS.Timeout;

  /** @param quiet called after each move */
  constructor(database: DatabaseSync, quiet: () => void) {
    this.#database = database;
    this.#timer = setTimeout(() => {
      this.move();
      quiet();
    }, QUIET_MS).unref();
  }

  /** There has been a commit. */
  committed(): void {
    this.#timer.refresh();
  }

  /** To be called before the database is closed, which moves the rest. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** Now, which makes room in the log. */
  move(): void {
    try {
      this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // The log is as durable as the database; of a disk that fails the next commit tells.
    }
  }
}
