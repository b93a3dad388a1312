import { hostError } from '../../core/host-errors.ts';
import { mirrorKeyOf } from '../../core/mirror.ts';
import type { SharedChange } from '../../core/shared.ts';
import type {
  Batch,
  Follower,
  ObjectKey,
  SharedCommit,
  SharedStore,
  Snapshot,
} from '../../store/shared-store.ts';
import { stateOf } from './state-of.ts';

interface Entry {
  readonly revision: number;
  readonly changes: readonly SharedChange[];
  readonly by: MemoryStore;
  readonly commit: SharedCommit;
}

/** The history of a fleet, in memory. */
export class MemoryHistory {
  readonly entries: Entry[] = [];
  /** Revisions up to this one are gone. */
  compacted = 0;
  readonly objects = new Map<string, SharedChange>();
  /** Revisions at which objects were changed last, also those that are gone. */
  readonly changedAt = new Map<string, number>();
  /** Revisions at which something began to use them last. */
  readonly uses = new Map<string, number>();
  readonly stores = new Set<MemoryStore>();

  get revision(): number {
    return this.entries.length;
  }

  /** A member's access to it. */
  open(): MemoryStore {
    const store = new MemoryStore(this);
    this.stores.add(store);
    return store;
  }

  /** Writes changes that no member has committed, such as those of leases. */
  write(changes: readonly SharedChange[]): void {
    const nobody = new MemoryStore(this);
    this.add(nobody, { changes, based: 0, same: [], uses: [], unused: [], apply: () => {} });
  }

  /** A copy, as of a store of a fleet. */
  copy(): MemoryHistory {
    const copy = new MemoryHistory();
    copy.#take(this);
    return copy;
  }

  /** Goes back to a copy. */
  restore(copy: MemoryHistory): void {
    this.entries.length = 0;
    for (const map of [this.objects, this.changedAt, this.uses]) map.clear();
    this.#take(copy);
    for (const store of this.stores) store.wake();
  }

  #take({ entries, objects, changedAt, uses }: MemoryHistory): void {
    this.entries.push(...entries);
    for (const [key, put] of objects) this.objects.set(key, put);
    for (const [key, revision] of changedAt) this.changedAt.set(key, revision);
    for (const [key, revision] of uses) this.uses.set(key, revision);
  }

  add(by: MemoryStore, commit: SharedCommit): void {
    const revision = this.revision + 1;
    for (const change of commit.changes) {
      const key = mirrorKeyOf(change);
      this.changedAt.set(key, revision);
      if (change.kind.startsWith('put-')) this.objects.set(key, change);
      else this.objects.delete(key);
    }
    for (const use of commit.uses) this.uses.set(keyOf(use), revision);
    this.entries.push({ revision, changes: commit.changes, by, commit });
    for (const store of this.stores) store.wake();
  }
}

/** A revision that no history has. */
const OF_ANOTHER = Number.POSITIVE_INFINITY;

const keyOf = ({ kind, name }: ObjectKey) => `${kind}s/${name}`;

/** One member's store on a history. */
export class MemoryStore implements SharedStore {
  readonly #history: MemoryHistory;
  #follower: Follower | null = null;
  #seen = 0;
  #isBusy = false;
  /** Whether the member is cut off: it hears nothing, and commits fail. */
  isCutOff = false;
  /** Whose store it is, once it is a member's: it takes nothing when the member is removed. */
  member: string | undefined;
  /** Own commits that wait until they are applied here, by revision. */
  readonly #applied = new Map<number, PromiseWithResolvers<void>>();

  constructor(history: MemoryHistory) {
    this.#history = history;
  }

  async load(): Promise<Snapshot> {
    const { objects, revision } = this.#history;
    return { revision, state: stateOf([...objects.values()]) };
  }

  async commit(commit: SharedCommit): Promise<void> {
    await new Promise(setImmediate);
    if (this.isCutOff) throw hostError('fleet-cut-off');
    const { objects } = this.#history;
    if (this.member !== undefined && !objects.has(`members/${this.member}`))
      throw hostError('fleet-not-member');
    if (this.#isStale(commit)) {
      await this.#until(this.#history.revision);
      throw hostError('changed-meanwhile', 'Something');
    }
    const revision = this.#history.revision + 1;
    const applied = this.#until(revision);
    this.#history.add(this, commit);
    await applied;
  }

  /** @param mark this history has none: with one, `after` is a revision of another history */
  follow(after: number, follower: Follower, mark?: string): () => void {
    this.#follower = follower;
    this.#seen = mark === undefined ? after : OF_ANOTHER;
    this.wake();
    return () => {
      if (this.#follower === follower) this.#follower = null;
    };
  }

  /** Lets the member hear what it has missed. */
  wake(): void {
    if (!this.#isBusy) void this.#work();
  }

  #isStale({ changes, based, same, uses, unused }: SharedCommit): boolean {
    const { objects, changedAt, uses: used } = this.#history;
    const newer = (key: string) => (changedAt.get(key) ?? 0) > based;
    const own = new Set(changes.map(mirrorKeyOf));
    return (
      changes.some((change) => newer(mirrorKeyOf(change))) ||
      [...same, ...uses].some((key) => !objects.has(keyOf(key)) && !own.has(keyOf(key))) ||
      same.some((key) => newer(keyOf(key))) ||
      unused.some((key) => (used.get(keyOf(key)) ?? 0) > based)
    );
  }

  async #until(revision: number): Promise<void> {
    if (this.#seen >= revision) return;
    const applied = Promise.withResolvers<void>();
    this.#applied.set(revision, applied);
    await applied.promise;
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#follower && !this.isCutOff && this.#seen !== this.#history.revision) {
      const follower = this.#follower;
      const isReplaced = this.#seen > this.#history.revision;
      if (isReplaced || this.#seen < this.#history.compacted) {
        this.#follower = null;
        follower.lost(isReplaced ? 'replaced' : 'compacted');
        break;
      }
      const entry = this.#history.entries[this.#seen] as Entry;
      const apply = entry.by === this ? entry.commit.apply : null;
      const batch: Batch = { revision: entry.revision, changes: entry.changes, apply };
      await new Promise(setImmediate);
      try {
        await follower.changed(batch);
      } catch (error) {
        this.#applied.get(entry.revision)?.reject(error);
        // The same batch again.
        continue;
      }
      this.#seen = Math.max(this.#seen, entry.revision);
      this.#applied.get(entry.revision)?.resolve();
    }
    this.#isBusy = false;
  }
}
