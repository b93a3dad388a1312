import type { DatabaseSync } from 'node:sqlite';
import type {
  Addition,
  Change,
  EventPage,
  EventQuery,
  Fleet,
  Instance,
  JournalSpan,
  NewEvent,
  State,
  StoredEvent,
} from '../../core/entities.ts';
import { Checkpoints } from './checkpoints.ts';
import { guarded, isFull } from './failures.ts';
import { Journal } from './journal.ts';
import { DEFAULT_JOURNAL_LIMITS, type JournalLimits } from './journal-limits.ts';
import { closeKeepingLog } from './log-file.ts';
import { openDatabase } from './open.ts';
import { KEPT_IMAGES } from './rebuild.ts';
import { Reserve, roomOf } from './reserve.ts';
import { additionsOf } from './rows.ts';
import { StagedInstances } from './staged-instances.ts';
import { fleetIn, lastNumberIn, stateIn } from './state.ts';
import { type Still, Stillness } from './still.ts';
import { FLEET_NOTICE, type Writers, writersOf } from './writers.ts';

export interface StoreOptions {
  readonly journal?: Partial<JournalLimits>;
  /** A clock that never jumps. */
  readonly monotonicMs?: () => number;
  /** Returns the bytes that are free on the disk. */
  readonly room?: () => number;
}

/** The rows of one instance in a large change. */
export interface StagedRows {
  readonly instanceId: number;
  /** Null if only events are written. */
  readonly instance: Instance | null;
  readonly events: readonly NewEvent[];
}

/**
 * Everything that must outlive the daemon. Objects are read once, at start, and then only written, so that no
 * answer waits for a read. Events are read for clients that ask for past ones. A commit is one transaction,
 * which is on the disk when `commit` returns. Failures are CodedErrors: store-full, store-read-only,
 * store-damaged or store-failed.
 */
export class Store {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #writers: Writers;
  readonly #journal: Journal;
  readonly #staged: StagedInstances;
  readonly #checkpoints: Checkpoints;
  readonly #reserve: Reserve;
  #still: Stillness | undefined;
  /** Frees SQLite's copies of pages of the database. Hardly anything is read again after the start. */
  readonly dropCache = () => guarded(() => this.#database.exec('PRAGMA shrink_memory'));

  /** @param database open, with the newest schema; the store closes it */
  constructor(path: string, options: StoreOptions = {}, database = openDatabase(path)) {
    const { journal, monotonicMs = () => performance.now(), room = () => roomOf(path) } = options;
    this.#path = path;
    this.#database = database;
    this.#writers = guarded(() => writersOf(database));
    const put = (instance: Instance) => this.#writers.change({ kind: 'put-instance', instance });
    this.#staged = guarded(() => new StagedInstances(database, put));
    const limits = { ...DEFAULT_JOURNAL_LIMITS, ...journal };
    this.#journal = guarded(() => new Journal(database, limits, monotonicMs));
    this.#reserve = new Reserve(database, room);
    this.#checkpoints = new Checkpoints(database, () => this.#tend());
  }

  /** All objects, as of the last commit. */
  load(): State {
    return guarded(() => stateIn(this.#database));
  }

  /** By instance id, the devices that were being added to running instances when the last daemon ended. */
  additions(): ReadonlyMap<number, readonly Addition[]> {
    const rows = () => this.#database.prepare('SELECT * FROM additions').all();
    return guarded(() => new Map(rows().map(additionsOf)));
  }

  /** The fleet that this host is a member of, with the texts that it keeps of others' objects; null if there is none. */
  fleet(): { readonly fleet: Fleet; readonly mirror: ReadonlyMap<string, string> } | null {
    return guarded(() => fleetIn(this.#database));
  }

  /** Why this host is no member of its fleet any more; empty if there is nothing to tell. */
  fleetNotice(): string {
    return String(this.#meta(FLEET_NOTICE) ?? '');
  }

  /** The id that the next new instance gets. Ids are never given twice. */
  nextInstanceId(): number {
    return guarded(() => lastNumberIn(this.#database, 'instances')) + 1;
  }

  /** Ids that another copy of this database has given: this daemon must not remove their folders. */
  keptFolders(): ReadonlySet<number> {
    const rows = () => this.#database.prepare('SELECT * FROM kept_folders').all();
    return new Set(guarded(rows).map((row) => Number(row['instance_id'])));
  }

  /** Fingerprints of unknown images whose files a recovery has kept. */
  keptImages(): ReadonlySet<string> {
    const text = String(this.#meta(KEPT_IMAGES) ?? '[]');
    return new Set(guarded(() => JSON.parse(text) as string[]));
  }

  #meta(key: string): unknown {
    return guarded(() => this.#database.prepare('SELECT value FROM meta WHERE key = ?').get(key))?.['value'];
  }

  /**
   * Writes changes and their events as one transaction, durable on return.
   * @returns the events with their sequence numbers, in order
   */
  commit(changes: readonly Change[], events: readonly NewEvent[]): readonly StoredEvent[] {
    return this.#transaction(() => {
      for (const change of changes) this.#write(change);
      return this.#journal.append(events, this.#reserve.tight);
    });
  }

  /** Whether there are rows of an earlier large change, which must be tidied before the next one. */
  get isUntidy(): boolean {
    return guarded(() => this.#journal.staged.hasLeft || this.#staged.hasLeft);
  }

  /** Moves or drops some rows of an earlier large change. */
  tidy(): void {
    let all = false;
    this.#transaction(() => {
      this.#journal.staged.dropLeft();
      all = this.#staged.settle();
    });
    if (all) this.#staged.settled();
  }

  /** Begins to stage a large change. No other may be staged, and the store must be tidy. */
  beginStaging(): void {
    this.#journal.staged.begin();
    this.#staged.begin();
  }

  /** Writes rows of a large change that are not in effect yet. They replace earlier ones of the same instances. */
  stage(rows: readonly StagedRows[]): void {
    this.#transaction(() => this.#stage(rows));
  }

  /**
   * Commits the staged rows and a few others in one transaction, durable on return.
   * @param last rows that are staged in the same transaction
   * @returns the staged events with their sequence numbers, by instance, and the other events, which follow them
   */
  commitStaged(
    last: readonly StagedRows[],
    changes: readonly Change[],
    events: readonly NewEvent[],
  ): {
    readonly staged: ReadonlyMap<number, readonly StoredEvent[]>;
    readonly others: readonly StoredEvent[];
  } {
    const others = this.#transaction(() => {
      this.#stage(last);
      for (const change of changes) this.#write(change);
      this.#journal.makeTrue();
      this.#staged.makeTrue();
      return this.#journal.append(events, this.#reserve.tight);
    });
    const staged = this.#journal.staged.events;
    this.#endStaging(true);
    return { staged, others };
  }

  /** Counts some events of the last large change, which its commit leaves for later. @returns whether all are counted */
  countStaged(): boolean {
    return this.#journal.countStaged();
  }

  /** Gives up the large change that is being staged. Its rows are dropped later. */
  giveUpStaging(): void {
    this.#endStaging(false);
    this.#checkpoints.committed();
  }

  #endStaging(done: boolean): void {
    this.#journal.endStaging(done);
    this.#staged.end(done);
  }

  #stage(rows: readonly StagedRows[]): void {
    for (const { instanceId, instance, events } of rows) {
      this.#journal.staged.dropOf(instanceId);
      this.#journal.stage(events);
      if (instance) this.#staged.add(instance);
      else this.#staged.dropOf(instanceId);
    }
  }

  #write(change: Change): void {
    this.#writers.change(change);
    if (change.kind === 'put-instance') this.#staged.overtaken(change.instance.id);
    if (change.kind === 'break-history') this.#journal.breakHistory(change.instanceId);
    if (change.kind !== 'delete-instance') return;
    this.#staged.overtaken(change.id);
    this.#journal.forget(change.id);
  }

  /** Drops some of the events that are too old or too many; each call drops a bounded number. */
  trimJournal(): void {
    if (this.#journal.isTrimDue) this.#transaction(() => this.#journal.trim());
    // Here too, because the store may never be idle: new events could reach the numbers of an interrupted large change.
    if (this.isUntidy) this.tidy();
  }

  /** A page of the events of one instance, or of the host, after a position. */
  eventsAfter(query: EventQuery): EventPage {
    return guarded(() => this.#journal.page(query));
  }

  /**
   * Keeps the database's file still until the end of what is returned, so that another process can copy it.
   * @throws CodedError store-failed and others
   */
  holdStill(): Still {
    this.#still?.break();
    this.#still = guarded(() => new Stillness(this.#checkpoints, this.#path));
    return this.#still;
  }

  /** The positions after which no event is missing. */
  journalSpan(instanceId: number | null): JournalSpan {
    return this.#journal.span(instanceId);
  }

  close(): void {
    this.#still?.break();
    this.#checkpoints.close();
    closeKeepingLog(this.#database, this.#path);
  }

  /** If the disk is full, moves the log into the database, which can make room in it, and tries again. */
  #transaction<T>(work: () => T): T {
    try {
      return this.#attempt(work);
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#reserve.setTight();
      this.#still?.break();
      this.#checkpoints.move();
      return this.#attempt(work);
    }
  }

  #attempt<T>(work: () => T): T {
    return guarded(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#database.exec('COMMIT');
        this.#journal.settled();
        this.#checkpoints.committed();
        this.#still?.committed();
        return result;
      } catch (error) {
        // If the disk is full or fails, SQLite has rolled back itself.
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        this.#journal.rolledBack();
        throw error;
      }
    });
  }

  /** Work that is done while idle. */
  #tend(): void {
    try {
      while (!this.countStaged());
      this.#reserve.tend();
      if (this.#journal.hasDeleted) this.#transaction(() => this.#journal.dropDeleted());
      if (this.isUntidy) this.tidy();
      else if (this.#journal.hasExcess) this.#transaction(() => this.#journal.dropExcess());
    } catch {
      // No client waits for it, and it is tried again when the store is idle next.
    }
  }
}
