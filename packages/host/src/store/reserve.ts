import type { DatabaseSync } from 'node:sqlite';

/**
 * Pages without content in the database, and as much room in its log: some hundred commits that grow. Deleting an
 * instance, stopping or starting one takes a few.
 */
const RESERVED_PAGES = 256;
/** With fewer left they are filled up again. */
const RESERVED_PAGES_MIN = 128;
/** On a disk with less, the reserve is used and not filled: it must never be what takes the last room. */
const ROOM_BYTES_MIN = 16 * 1024 * 1024;

/**
 * Room for commits on a full disk, where others take each block that becomes free at once: so it is held inside the
 * database's own files. A commit puts what is new into pages without content; the file grows here only.
 */
export class Reserve {
  readonly #database: DatabaseSync;
  readonly #room: () => number;
  #tight = false;

  /** @param room bytes that the disk has left */
  constructor(database: DatabaseSync, room: () => number) {
    this.#database = database;
    this.#room = room;
  }

  /** Whether the reserve is being used up, and cannot be filled. */
  get tight(): boolean {
    return this.#tight;
  }

  /** A commit has found no room. */
  setTight(): void {
    this.#tight = true;
  }

  /** Fills it if need be; for quiet moments, with nothing in the log that is not in the database too. */
  tend(): void {
    if (this.#pages() >= RESERVED_PAGES_MIN) this.#tight = false;
    else this.#tight = this.#room() < ROOM_BYTES_MIN || !this.#fill();
  }

  #fill(): boolean {
    try {
      const { page_size: size } = this.#database.prepare('PRAGMA page_size').get() as { page_size: number };
      // Two transactions: only what has been committed gets its place in the files.
      this.#database.prepare('INSERT INTO reserve VALUES (zeroblob(?))').run(RESERVED_PAGES * size);
      this.#database.exec('DELETE FROM reserve; PRAGMA wal_checkpoint(PASSIVE)');
      return true;
    } catch {
      return false;
    }
  }

  #pages(): number {
    return (this.#database.prepare('PRAGMA freelist_count').get() as { freelist_count: number })
      .freelist_count;
  }
}
