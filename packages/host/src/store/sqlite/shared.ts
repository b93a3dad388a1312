import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '../../base/clock.ts';
import { hostError } from '../../core/host-errors.ts';
import { sharedImageOf, sharedPartOf } from '../../core/shared.ts';
import { describeObject, objectOf, type SharedKind } from '../shared-state.ts';
import type { Batch, Follower, ObjectKey, SharedCommit, SharedStore, Snapshot } from '../shared-store.ts';
import type { Store } from './store.ts';

/** Objects whose newest change is remembered, to see conflicts with it. */
const REMEMBERED_MAX = 1_000;

/** Changes that are kept for followers, with all that they put; fewer while there are none, for one that comes late. */
const HISTORY_MAX = 1_000;
const HISTORY_MAX_ALONE = 16;

/** Pause before a batch is told again that the follower could not apply. */
const RETRY_MS = 1_000;

/**
 * The single host's store of what operators change. What it commits is applied inside the call of `commit`, so that
 * nothing can happen in between. Revisions count in memory, from the time of the start in milliseconds: a revision of
 * an earlier daemon is older than the start.
 */
export class SqliteShared implements SharedStore {
  readonly #store: Store;
  readonly #member: string;
  readonly #followers = new Set<Following>();
  /** Where objects and their uses were changed last, as `profile/NAME` and `uses/profile/NAME`; the newest last. */
  readonly #changedAt = new Map<string, number>();
  readonly #history: Batch[] = [];
  /** Changes up to here are not remembered. */
  #forgotten: number;
  #revision: number;

  /** @param member the name of this host, for the records of instances */
  constructor(store: Store, member = '', clock: Clock = systemClock) {
    this.#store = store;
    this.#member = member;
    this.#revision = clock.now().getTime();
    this.#forgotten = this.#revision;
  }

  /** The newest one. */
  get revision(): number {
    return this.#revision;
  }

  async load(): Promise<Snapshot> {
    const { instances, profiles, images, aliases } = this.#store.load();
    const shared = [...instances.values()].map((each) => sharedPartOf(each, this.#member));
    const state = {
      instances: new Map(shared.map((each) => [each.name, each])),
      images: new Map([...images].map(([fingerprint, image]) => [fingerprint, sharedImageOf(image)])),
      ...{ profiles, aliases, members: new Map(), alive: new Map(), holders: new Map() },
    };
    return { revision: this.#revision, state };
  }

  async commit(commit: SharedCommit): Promise<void> {
    this.#check(commit);
    commit.apply([]);
    this.#revision += 1;
    for (const change of commit.changes) {
      const { kind, name } = objectOf(change);
      this.#remember(`${kind}/${name}`);
    }
    for (const { kind, name } of commit.uses) this.#remember(`uses/${kind}/${name}`);
    // It has been applied: a follower that applies it once more changes nothing.
    const batch: Batch = { revision: this.#revision, changes: commit.changes, apply: () => {} };
    this.#history.push(batch);
    const max = this.#followers.size > 0 ? HISTORY_MAX : HISTORY_MAX_ALONE;
    if (this.#history.length > max) this.#history.shift();
    await Promise.all([...this.#followers].map((each) => each.tell()));
  }

  #check({ changes, based, same, uses, unused }: SharedCommit): void {
    for (const change of changes) {
      const { kind, name } = objectOf(change);
      this.#refuseNewer(`${kind}/${name}`, based, { kind, name });
    }
    for (const each of same) this.#refuseNewer(`${each.kind}/${each.name}`, based, each);
    for (const each of unused) this.#refuseNewer(`uses/${each.kind}/${each.name}`, based, each);
    const isPut = ({ kind, name }: ObjectKey) =>
      changes.some((change) => {
        const object = objectOf(change);
        return change.kind === `put-${kind}` && object.name === name;
      });
    for (const { kind, name } of uses)
      if (!isPut({ kind, name }) && !this.#store.has(kind, name))
        throw hostError('changed-meanwhile', describeObject(kind, name));
  }

  #refuseNewer(key: string, based: number, { kind, name }: { kind: SharedKind; name: string }): void {
    if ((this.#changedAt.get(key) ?? this.#forgotten) > based)
      throw hostError('changed-meanwhile', describeObject(kind, name));
  }

  #remember(key: string): void {
    this.#changedAt.delete(key);
    this.#changedAt.set(key, this.#revision);
    const [oldest] = this.#changedAt;
    if (this.#changedAt.size <= REMEMBERED_MAX || !oldest) return;
    this.#changedAt.delete(oldest[0]);
    this.#forgotten = oldest[1];
  }

  follow(after: number, follower: Follower): () => void {
    const oldest = this.#history[0]?.revision ?? this.#revision + 1;
    const known = after >= oldest - 1 && after <= this.#revision;
    const following = new Following(this.#history, known ? after : null, follower);
    this.#followers.add(following);
    void following.tell();
    return () => {
      following.stop();
      this.#followers.delete(following);
    };
  }
}

/** One follower, which is told of one batch after the other. */
class Following {
  readonly #history: readonly Batch[];
  readonly #follower: Follower;
  readonly #end = new AbortController();
  #after: number | null;
  #telling: Promise<void> | null = null;

  /** @param after null: it has lost the history */
  constructor(history: readonly Batch[], after: number | null, follower: Follower) {
    this.#history = history;
    this.#after = after;
    this.#follower = follower;
  }

  stop(): void {
    this.#end.abort();
  }

  /** Tells what has not been told, after the code that runs now. */
  tell(): Promise<void> {
    this.#telling ??= this.#tell().finally(() => {
      this.#telling = null;
    });
    return this.#telling;
  }

  async #tell(): Promise<void> {
    await Promise.resolve();
    for (let next = this.#next(); next && !this.#end.signal.aborted; next = this.#next()) {
      if (next === 'lost') {
        this.stop();
        this.#follower.lost('compacted');
        return;
      }
      try {
        await this.#follower.changed(next);
        this.#after = next.revision;
      } catch {
        // The follower knows why.
        await sleep(RETRY_MS, undefined, { signal: this.#end.signal }).catch(() => {});
      }
    }
  }

  #next(): Batch | 'lost' | undefined {
    const [oldest] = this.#history;
    const after = this.#after;
    if (after === null || (oldest && after < oldest.revision - 1)) return 'lost';
    return oldest && this.#history[after - oldest.revision + 1];
  }
}
