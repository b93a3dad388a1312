import type { KeyValue } from '../../etcd/requests.ts';
import type { WatchEvent } from '../../etcd/watch-types.ts';

/** What is known of a key at a revision: where it was changed last (0: it did not exist), or that it was changed later. */
export type Known = number | 'changed-since' | 'unknown';

/**
 * At which revision each key was changed last. A commit needs it: etcd compares whether that is still so. It knows at
 * least all that the follower has been told.
 */
export class KnownKeys {
  /** The keys that exist. */
  readonly #changedAt = new Map<string, number>();
  /** All keys that exist are in the map. */
  #isComplete = false;
  /** Since this revision no key was deleted, as far as is known. */
  #newestDeletion = 0;
  /** Events up to this revision are in the map already. */
  #loaded = 0;

  /** Begins again with all keys. */
  load(kvs: Iterable<KeyValue>, revision: number): void {
    this.#changedAt.clear();
    for (const { key, modRevision } of kvs) this.#changedAt.set(key, modRevision);
    this.#isComplete = true;
    this.#newestDeletion = revision;
    this.#loaded = revision;
  }

  /** The events of a revision. */
  take(events: readonly WatchEvent[], revision: number): void {
    if (revision <= this.#loaded) return;
    for (const { type, kv } of events) {
      if (type === 'put') this.#changedAt.set(kv.key, revision);
      else {
        this.#changedAt.delete(kv.key);
        this.#newestDeletion = revision;
      }
    }
  }

  /** Remembers a key that has been read as it was at a revision. */
  learn({ key, modRevision }: KeyValue, readAt: number): void {
    if (!this.#changedAt.has(key) && this.#newestDeletion <= readAt) this.#changedAt.set(key, modRevision);
  }

  /** What is known of a key as it was at a revision. */
  at(key: string, revision: number): Known {
    const changedAt = this.#changedAt.get(key);
    if (changedAt !== undefined) return changedAt <= revision ? changedAt : 'changed-since';
    return this.#isComplete && revision >= this.#newestDeletion ? 0 : 'unknown';
  }

  /** Where it was changed last, as far as is known here; 0 if it is not known to exist. */
  newest(key: string): number {
    return this.#changedAt.get(key) ?? 0;
  }
}
