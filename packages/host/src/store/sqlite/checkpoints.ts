import type { DatabaseSync } from 'node:sqlite';

/** SQLite's own rule: a commit that makes the log longer than this many pages moves it. */
const AUTOMATIC_PAGES = 1000;

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
  #isHeld = false;

  /** @param quiet called after each move while idle; it may write to the file */
  constructor(database: DatabaseSync, quiet: () => void) {
    this.#database = database;
    this.#timer = setTimeout(() => {
      if (this.#isHeld) return;
      this.move();
      quiet();
    }, QUIET_MS).unref();
  }

  /** Call it after each commit. */
  committed(): void {
    this.#timer.refresh();
  }

  /**
   * Moves the log, and then keeps the database's file still: commits only make the log longer. The next pause would
   * have done this move anyway. Its time depends on the commits since the last move.
   * @returns whether the file has all commits
   */
  hold(): boolean {
    const row = this.#database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get();
    this.#isHeld = row?.['busy'] === 0 && row['log'] === row['checkpointed'];
    if (this.#isHeld) this.#database.exec('PRAGMA wal_autocheckpoint = 0');
    return this.#isHeld;
  }

  /** Ends {@link hold}: the log is moved at the next pause. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#database.exec(`PRAGMA wal_autocheckpoint = ${AUTOMATIC_PAGES}`);
    this.#timer.refresh();
  }

  /** Call it before the database is closed. Closing moves the rest of the log. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** Moves the log now, which makes room in it; not while the file is kept still. */
  move(): void {
    if (this.#isHeld) return;
    try {
      this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // The log is as durable as the database. If the disk fails, the next commit fails too.
    }
  }
}
