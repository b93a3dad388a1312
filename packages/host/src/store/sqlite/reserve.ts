import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

/**
 * Free pages in the database, and as much room in its log: enough for some hundred commits that add data.
 * Deleting, stopping or starting an instance takes a few.
 */
const RESERVED_PAGES = 256;
/** The reserve is filled up again if it has fewer pages than this. */
const RESERVED_PAGES_MIN = 128;
/** On a disk with less room, the reserve is used but not filled: it must not take the last room itself. */
const ROOM_BYTES_MIN = 16 * 1024 * 1024;

/**
 * Room for commits on a full disk. It is held inside the database's own files, since other programs take each
 * block that becomes free. A commit uses free pages first; the file grows only when the reserve is filled.
 */
export class Reserve {
  readonly #database: DatabaseSync;
  readonly #room: () => number;
  #tight = false;

  /** @param room returns the bytes that are free on the disk */
  constructor(database: DatabaseSync, room: () => number) {
    this.#database = database;
    this.#room = room;
  }

  /** Whether the disk is short of room: the reserve is used and cannot be filled. */
  get tight(): boolean {
    return this.#tight;
  }

  /** To be called if a commit has found no room. */
  setTight(): void {
    this.#tight = true;
  }

  /** Fills the reserve if necessary. To be called while idle, after the log was moved into the database. */
  tend(): void {
    if (this.#pages() >= RESERVED_PAGES_MIN) this.#tight = false;
    else this.#tight = this.#room() < ROOM_BYTES_MIN || !this.#fill();
  }

  #fill(): boolean {
    try {
      const { page_size: size } = this.#database.prepare('PRAGMA page_size').get() as { page_size: number };
      // Two transactions, since pages get their room in the files only by a commit.
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

const MEMORY = ':memory:';

/** The bytes that are free on the disk of a database. */
export function roomOf(path: string): number {
  if (path === MEMORY) return Number.POSITIVE_INFINITY;
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}
