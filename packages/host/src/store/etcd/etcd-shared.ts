import type { Log } from '../../base/log.ts';
import { mapInSlices } from '../../base/slices.ts';
import { hostError } from '../../core/host-errors.ts';
import type { Etcd } from '../../etcd/client.ts';
import { MutableSharedState } from '../shared-state.ts';
import type { Follower, SharedCommit, SharedStore, Snapshot } from '../shared-store.ts';
import { Committing } from './commit.ts';
import type { FenceKeeper } from './fence.ts';
import type { FleetKeys } from './fleet-keys.ts';
import { Following } from './following.ts';
import { newestMark } from './history.ts';
import { KnownKeys } from './known-keys.ts';
import { loadAll } from './load.ts';
import { RevisionReader } from './revisions.ts';
import { planOf } from './transaction.ts';

export interface EtcdSharedParts {
  readonly etcd: Etcd;
  readonly keys: FleetKeys;
  /** The name of this member. */
  readonly member: string;
  readonly keeper: FenceKeeper;
  readonly log: Log;
  /** A clock that never jumps. */
  readonly monotonicMs?: () => number;
}

/** The store of a fleet: etcd. Each commit is one transaction, so no half of it is ever visible. */
export class EtcdShared implements SharedStore {
  readonly #parts: EtcdSharedParts;
  readonly #monotonicMs: () => number;
  readonly #known = new KnownKeys();
  readonly #reader: RevisionReader;
  #following: Following | null = null;
  #commits = 0;

  constructor(parts: EtcdSharedParts) {
    this.#parts = parts;
    this.#monotonicMs = parts.monotonicMs ?? (() => performance.now());
    const { member, keeper, log } = parts;
    this.#reader = new RevisionReader(parts.keys, { member, run: keeper.run, log });
  }

  /** By key, the records that cannot be read: they are left out, and nobody can change them. */
  get unreadable(): ReadonlyMap<string, string> {
    return this.#reader.unreadable;
  }

  async load(): Promise<Snapshot> {
    const { etcd, keys } = this.#parts;
    const { kvs, revision } = await loadAll(etcd, keys.prefix);
    this.#known.load(kvs, revision);
    // What could not be read may be gone since.
    this.#reader.unreadable.clear();
    const state = new MutableSharedState();
    const changes = await mapInSlices(kvs, ({ key, value }) => this.#reader.change(key, value));
    for (const change of changes.flat()) state.apply(change);
    const commits = keys.folder('commits');
    return { revision, state, mark: newestMark(kvs.filter(({ key }) => key.startsWith(commits))) };
  }

  async commit(commit: SharedCommit): Promise<void> {
    const following = this.#following;
    // As at the start of a daemon, or while it takes over a state: it does not know the newest revision.
    if (!following || following.isOver) throw hostError('fleet-cut-off');
    const { etcd, keys, member, keeper } = this.#parts;
    const parts = {
      ...{ etcd, keys, member, keeper, following },
      known: this.#known,
      unreadable: this.#reader.unreadable,
      nextToken: () => `${keeper.run}-${++this.#commits}`,
      monotonicMs: this.#monotonicMs,
    };
    await new Committing(parts, planOf(commit, keys)).run();
  }

  follow(after: number, follower: Follower, mark?: string): () => void {
    if (this.#following && !this.#following.isOver) throw new Error('the store has a follower already');
    const { etcd, keys, log } = this.#parts;
    const parts = {
      etcd,
      keys,
      log,
      known: this.#known,
      reader: this.#reader,
      monotonicMs: this.#monotonicMs,
    };
    const following = new Following(parts, after, follower, mark);
    this.#following = following;
    return () => following.stop();
  }
}
