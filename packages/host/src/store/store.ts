import type { DatabaseSync } from 'node:sqlite';
import { hostError } from '../core/errors.ts';
import type {
  Addition,
  Change,
  EventPage,
  EventQuery,
  JournalSpan,
  NewEvent,
  State,
  StoredEvent,
} from '../core/model.ts';
import { Checkpoints } from './checkpoints.ts';
import { DEFAULT_JOURNAL_LIMITS, Journal, type JournalLimits } from './journal.ts';
import { openDatabase } from './open.ts';
import { additionsOf, aliasOf, imageOf, instanceOf, profileOf } from './rows.ts';
import { type Writers, writersOf } from './writers.ts';

/**
 * Everything that must outlive the daemon. Objects are read once, at start; afterwards they are only written,
 * so that no answer waits for it. Events are read by those who ask for the past. A commit is one transaction and
 * on the disk when `commit` returns.
 */
export class Store {
  readonly #database: DatabaseSync;
  readonly #writers: Writers;
  readonly #journal: Journal;
  readonly #checkpoints: Checkpoints;

  constructor(path: string, journal: Partial<JournalLimits> = {}) {
    this.#database = openDatabase(path);
    this.#writers = writersOf(this.#database);
    this.#journal = new Journal(this.#database, { ...DEFAULT_JOURNAL_LIMITS, ...journal });
    this.#checkpoints = new Checkpoints(this.#database);
  }

  /** All objects, as of the last commit. */
  load(): State {
    const all = (table: string) => this.#database.prepare(`SELECT * FROM ${table}`).all();
    return {
      instances: new Map(
        all('instances')
          .map((row) => instanceOf(row))
          .map((each) => [each.id, each]),
      ),
      profiles: new Map(
        all('profiles')
          .map((row) => profileOf(row))
          .map((each) => [each.name, each]),
      ),
      images: new Map(
        all('images')
          .map((row) => imageOf(row))
          .map((each) => [each.fingerprint, each]),
      ),
      aliases: new Map(
        all('aliases')
          .map((row) => aliasOf(row))
          .map((each) => [each.name, each]),
      ),
    };
  }

  /** Devices that were on their way into instances when the last daemon ended. */
  additions(): ReadonlyMap<number, readonly Addition[]> {
    return new Map(this.#database.prepare('SELECT * FROM additions').all().map(additionsOf));
  }

  /** The id that the next new instance gets. Ids are never given twice. */
  nextInstanceId(): number {
    const row = this.#database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'instances'").get();
    return Number(row?.['seq'] ?? 0) + 1;
  }

  /**
   * Writes changes and their events as one transaction: all or nothing, durable on return.
   * @returns the events with their sequence numbers, in order
   */
  commit(changes: readonly Change[], events: readonly NewEvent[]): readonly StoredEvent[] {
    return this.#transaction(() => {
      for (const change of changes) {
        this.#writers.change(change);
        if (change.kind === 'delete-instance') this.#journal.forget(change.id);
      }
      return this.#journal.append(events);
    });
  }

  /** Drops events that have become too old, a bounded number each time. @param now RFC 3339 */
  trimJournal(now: string): void {
    this.#transaction(() => this.#journal.trim(now));
  }

  /** A part of the events of one instance, or of the host, from a position on. */
  eventsAfter(query: EventQuery): EventPage {
    return this.#journal.page(query);
  }

  /** Which positions have missed nothing. */
  journalSpan(instanceId: number | null): JournalSpan {
    return this.#journal.span(instanceId);
  }

  close(): void {
    this.#checkpoints.close();
    this.#database.close();
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      this.#checkpoints.committed();
      return result;
    } catch (error) {
      // SQLite has done so itself when the disk is full or fails.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#journal.reload();
      throw asStoreFailure(error);
    }
  }
}

/** What SQLite says when it is the disk that fails, not the statement; sqlite.org/rescode.html. */
const DISK_FAILURES: ReadonlySet<number> = new Set([
  8, // SQLITE_READONLY
  10, // SQLITE_IOERR
  13, // SQLITE_FULL
  14, // SQLITE_CANTOPEN
]);
const PRIMARY_CODE = 0xff;

function asStoreFailure(error: unknown): unknown {
  const { errcode = 0, errstr = '' } = error as { errcode?: number; errstr?: string };
  return DISK_FAILURES.has(errcode & PRIMARY_CODE) ? hostError('store-failed', errstr) : error;
}
