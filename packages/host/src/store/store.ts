import type { DatabaseSync } from 'node:sqlite';
import type { Change, NewEvent, State, StoredEvent } from '../core/model.ts';
import { openDatabase } from './open.ts';
import { aliasOf, imageOf, instanceOf, profileOf } from './rows.ts';
import { type Writers, writersOf } from './writers.ts';

/** How many events the journal keeps; older ones are dropped as new ones come. */
export const JOURNAL_EVENTS_MAX = 100_000;

/**
 * Everything that must outlive the daemon. It is read once, at start; afterwards it is only written, so
 * that no answer waits for it. A commit is one transaction and on the disk when `commit` returns.
 */
export class Store {
  readonly #database: DatabaseSync;
  readonly #writers: Writers;
  readonly #journalMax: number;

  constructor(path: string, options: { journalEventsMax?: number } = {}) {
    this.#database = openDatabase(path);
    this.#writers = writersOf(this.#database);
    this.#journalMax = options.journalEventsMax ?? JOURNAL_EVENTS_MAX;
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
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const change of changes) this.#writers.change(change);
      const stored = events.map((event) => ({ ...event, sequence: this.#writers.event(event) }));
      const last = stored.at(-1);
      if (last) this.#writers.trim(last.sequence - this.#journalMax);
      this.#database.exec('COMMIT');
      return stored;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }
}
