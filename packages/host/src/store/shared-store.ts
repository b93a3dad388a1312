import type { Alias, Change, Profile } from '../core/entities.ts';
import type { Member, SharedChange, SharedImage, SharedInstance } from '../core/shared.ts';

/** An object that others can use: they may not begin to do so while it is deleted or renamed. */
export interface ObjectKey {
  readonly kind: 'profile' | 'image';
  /** A profile's name, or an image's full fingerprint. */
  readonly name: string;
}

/** All objects that the members of a fleet share. */
export interface SharedState {
  /** By name. */
  readonly instances: ReadonlyMap<string, SharedInstance>;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly images: ReadonlyMap<string, SharedImage>;
  readonly aliases: ReadonlyMap<string, Alias>;
  readonly members: ReadonlyMap<string, Member>;
  /** By member, the run of its daemon that has a lease. */
  readonly alive: ReadonlyMap<string, string>;
  /** By fingerprint, the members that have the files of an image. */
  readonly holders: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface Snapshot {
  readonly revision: number;
  /** See {@link Batch}. */
  readonly mark?: string;
  readonly state: SharedState;
}

export interface SharedCommit {
  readonly changes: readonly SharedChange[];
  /** The revision of the state that the changes were made from. */
  readonly based: number;
  /** What the changes rely on, such as the profiles of a changed instance: it must be as it was at `based`. */
  readonly same: readonly ObjectKey[];
  /** What begins to be used by the changes: it must exist. */
  readonly uses: readonly ObjectKey[];
  /** What nothing may have begun to use since `based`. */
  readonly unused: readonly ObjectKey[];
  /**
   * Called when the changes are durable and all earlier ones have been applied here. It must apply them synchronously.
   * Not called after the commit has failed: its changes are as those of others then.
   * @param extra changes of this host's own store that belong to the same transaction
   */
  readonly apply: (extra: readonly Change[]) => void;
}

/** The changes of one revision. A batch without changes only says that there were none up to its revision. */
export interface Batch {
  readonly revision: number;
  /** Tells the history up to here from another one that has the same revision, such as that of a restored store. */
  readonly mark?: string;
  readonly changes: readonly SharedChange[];
  /** Applies the changes, if this daemon has committed them; null if another one has, or an earlier daemon here. */
  readonly apply: SharedCommit['apply'] | null;
}

export interface Follower {
  /**
   * Called for one revision after the other; the next call waits for the end of this one, which must not wait for a
   * commit. If it fails, it is called again with the same batch; a commit that waits for it fails at once.
   */
  changed(batch: Batch): Promise<void> | void;
  /** The history after the position is gone: all must be loaded again. Nothing is called after it. */
  lost(loss: Loss): void;
}

/**
 * Why a history is gone. `compacted`: the store has forgotten it. `replaced`: the store has another one, as after a
 * restore from a copy.
 */
export type Loss = 'compacted' | 'replaced';

/**
 * The store of the objects that the members of a fleet share. Errors are CodedErrors: `changed-meanwhile` if an object is not as it
 * was at `based`; then nothing has changed.
 */
export interface SharedStore {
  /** Everything, at its newest revision. */
  load(): Promise<Snapshot>;
  /**
   * Makes changes durable, all or none of them. Resolves when they are applied here. After `changed-meanwhile` they
   * can be made again at once: what has changed meanwhile is applied here, as far as it has come.
   */
  commit(commit: SharedCommit): Promise<void>;
  /**
   * Tells of each later change. A member's store has one follower at a time, and commits only while it has one.
   * @param after the revision that the follower knows already
   * @param mark that of `after`, if it is known
   * @returns a function that ends it
   */
  follow(after: number, follower: Follower, mark?: string): () => void;
}
