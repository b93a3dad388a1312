import type { CodedError } from '../base/coded-error.ts';
import type { Change, Instance } from '../core/entities.ts';
import { hostError, isConflict } from '../core/host-errors.ts';
import { rebased, type SharedChange, type SharedInstance, sameShared, withShared } from '../core/shared.ts';
import type { SharedStore } from '../store/shared-store.ts';
import type { EventDraft } from './event-draft.ts';
import { type Applied, withGuestDrafts } from './guest-drafts.ts';
import { type Before, type SharedPart, sharedPart } from './shared-changes.ts';

/** The store that decides on changes of shared objects. */
export interface SharedSide {
  readonly store: Pick<SharedStore, 'commit'>;
  /** The name of this host. */
  readonly member: string;
  /** The newest revision that is applied here. */
  revision(): number;
  /** The instances of other hosts, by name. */
  others(): ReadonlyMap<string, SharedInstance>;
  /** The hosts that have the files of an image. */
  holders(fingerprint: string): Iterable<string>;
}

/** A change with its events, made from the newest state. */
export interface Agreed {
  readonly changes: readonly Change[];
  readonly events?: readonly EventDraft[];
}

/** The newest state of this host. */
export interface Newest extends Before, Applied {
  /** The version is another number after each change. */
  readonly instances: Before['instances'] & Applied['instances'] & { readonly version: number };
  /** Another number after each change of profiles. */
  profilesVersion(): number;
}

/** How often a change is made again because another one came first. */
const ROUNDS_MAX = 10;

/**
 * Takes changes of shared objects to the store that decides on them, and applies them here in their turn. On a single
 * host, where nobody else decides, they are applied at once.
 */
export class Agreement {
  readonly #shared: SharedSide | undefined;
  readonly #before: Newest;
  #paused: CodedError | null = null;
  /** Commits of the shared store whose outcome is not known yet. */
  readonly #undecided = new Set<Promise<void>>();

  constructor(shared: SharedSide | undefined, before: Newest) {
    this.#shared = shared;
    this.#before = before;
  }

  /**
   * Does nothing if there is nothing to change and no event.
   * @param make called again if another change came first
   * @param apply must apply everything synchronously
   * @throws changed-meanwhile, and the errors of `make`
   */
  async change(make: () => Agreed, apply: (agreed: Required<Agreed>) => void): Promise<void> {
    for (let round = 1; ; round++) {
      const { changes, events = [] } = make();
      if (changes.length === 0 && events.length === 0) return;
      const rebase = this.#rebasing(changes);
      const version = this.#version;
      try {
        return await this.agree(this.partOf(changes), (extra) => {
          const newest = rebase();
          // Other changes may have come first since this one was made.
          const isAsMade = this.#version === version;
          const told = isAsMade ? events : withGuestDrafts(events, newest, this.#before);
          apply({ changes: [...newest, ...extra], events: told });
        });
      } catch (error) {
        if (!isConflict(error) || round === ROUNDS_MAX) throw error;
      }
    }
  }

  get #version(): number {
    return this.#before.instances.version + this.#before.profilesVersion();
  }

  /**
   * Refuses changes from now on. Resolves when those that had begun are decided.
   * @returns a function that ends this
   */
  async pause(error: CodedError): Promise<() => void> {
    this.#paused = error;
    await Promise.allSettled(this.#undecided);
    return () => {
      this.#paused = null;
    };
  }

  /** Takes what others share to the store; applies the change within this call if that is nothing. */
  async agree(part: SharedPart | null, apply: (extra: readonly Change[]) => void): Promise<void> {
    if (this.#paused) throw this.#paused;
    if (!this.#shared || !part || part.changes.length === 0) return apply([]);
    const changes = withoutOthers(part.changes, this.#shared);
    if (changes.length === 0) return apply([]);
    const commit = this.#shared.store.commit({ ...part, changes, based: this.#shared.revision(), apply });
    this.#undecided.add(commit);
    try {
      await commit;
    } finally {
      this.#undecided.delete(commit);
    }
  }

  /** What others share of these changes; null if there are no others. */
  partOf(changes: readonly Change[]): SharedPart | null {
    return this.#shared ? sharedPart(changes, this.#before, this.#shared.member) : null;
  }

  /** @throws Error if others share something of these changes, which then have to be agreed on */
  checkOwn(changes: readonly Change[]): void {
    const part = this.partOf(changes);
    if (part && part.changes.length > 0)
      throw new Error(`a change of ${part.changes[0]?.kind} was not agreed on`);
  }

  /** @returns the changes, made from the newest state of instances, which may have written values of their own */
  #rebasing(changes: readonly Change[]): () => readonly Change[] {
    if (!this.#shared) return () => changes;
    const from = new Map<Change, Instance>();
    for (const change of changes) {
      const now = change.kind === 'put-instance' && this.#before.instances.get(change.instance.id);
      if (now) from.set(change, now);
    }
    return () =>
      changes.map((change) => {
        const before = from.get(change);
        if (change.kind !== 'put-instance' || !before) return change;
        const newest = this.#before.instances.get(before.id) ?? before;
        const isOwn = sameShared(change.instance, before);
        const asked = isOwn ? withShared(change.instance, newest) : change.instance;
        return { kind: 'put-instance', instance: rebased(asked, before, newest) };
      });
  }
}

/**
 * Changes without those of records of others. After a restore of the store, two hosts may have an instance of the same
 * name: one of them is renamed or deleted, and the other's record stays.
 * @throws instance-name-elsewhere if one of them would be replaced
 */
function withoutOthers(
  changes: readonly SharedChange[],
  { others }: Pick<SharedSide, 'others'>,
): readonly SharedChange[] {
  return changes.filter((change) => {
    if (change.kind === 'delete-instance') return !others().has(change.name);
    const there = change.kind === 'put-instance' ? others().get(change.instance.name) : undefined;
    if (there) throw hostError('instance-name-elsewhere', there.member, there.name);
    return true;
  });
}
