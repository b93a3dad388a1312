import type { DatabaseSync } from 'node:sqlite';

/** The database counts as idle after this time without a commit. */
const QUIET_MS = 100;

/**
 * Moves SQLite's log into the database (sqlite.org/wal.html, "Checkpointing") when the database is idle, and
 * then does other work that can wait. If it is never idle, SQLite moves the log within a commit: one of
 * hundreds of changes then waits some milliseconds longer.
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

  /** To be called after each commit. */
  committed(): void {
    this.#timer.refresh();
  }

  /** To be called before the database is closed; closing moves the rest of the log. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** Moves the log now, which makes room in it. */
  move(): void {
    try {
      this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // The log is as durable as the database. If the disk fails, the next commit fails too.
    }
  }
}
