import type { CodedError } from '../../base/coded-error.ts';
import type { SharedChange } from '../../core/shared.ts';
import { MutableSharedState } from '../shared-state.ts';
import type { Batch, Follower, ObjectKey, SharedState, SharedStore } from '../shared-store.ts';

/** What a host does with its store: it keeps the state in memory, and commits changes of it. */
export class Replica implements Follower {
  readonly store: SharedStore;
  /** What was told, in order. */
  readonly told: {
    readonly revision: number;
    readonly changes: readonly SharedChange[];
    readonly isOwn: boolean;
  }[] = [];
  /** How often each own commit was applied, by its number. */
  readonly applied = new Map<number, number>();
  revision = 0;
  mark: string | undefined;
  isLost = false;
  /** Waited for before a batch is applied. */
  gate: Promise<void> = Promise.resolve();
  /** If set, nothing can be applied. */
  trouble: Error | null = null;
  #state = new MutableSharedState();
  #stop: () => void = () => {};
  #commits = 0;
  #isBusy = false;
  #watchers = new Set<() => void>();

  constructor(store: SharedStore) {
    this.store = store;
  }

  get state(): SharedState {
    return this.#state;
  }

  /** Loads everything, and follows from there. */
  async start(): Promise<this> {
    await this.load();
    this.follow();
    return this;
  }

  async load(): Promise<void> {
    const { revision, state, mark } = await this.store.load();
    this.#state = stateOf(state);
    this.revision = revision;
    this.mark = mark;
  }

  follow(): void {
    this.isLost = false;
    this.#stop = this.store.follow(this.revision, this, this.mark);
  }

  stop(): void {
    this.#stop();
  }

  async changed({ revision, mark, changes, apply }: Batch): Promise<void> {
    if (this.#isBusy) throw new Error('two batches at once');
    if (revision <= this.revision) throw new Error('revisions do not grow');
    this.#isBusy = true;
    try {
      await this.gate;
      if (apply) apply([]);
      else this.#apply(changes);
      this.revision = revision;
      this.mark = mark;
      this.told.push({ revision, changes, isOwn: apply !== null });
    } finally {
      this.#isBusy = false;
      for (const watcher of [...this.#watchers]) watcher();
    }
  }

  lost(): void {
    this.isLost = true;
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Resolves when a condition holds; it is looked at after each batch. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => {
      const watcher = () => {
        if (!holds()) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }

  /** Commits changes of the newest state, or of the one at `based`. @returns the number of the commit */
  async commit(changes: readonly SharedChange[], options: CommitOptions = {}): Promise<number> {
    const { based = this.revision, same = [], uses = [], unused = [] } = options;
    const number = ++this.#commits;
    this.applied.set(number, 0);
    const apply = () => {
      this.#apply(changes);
      this.applied.set(number, (this.applied.get(number) ?? 0) + 1);
    };
    await this.store.commit({ changes, based, same, uses, unused, apply });
    return number;
  }

  /** Commits what is made from the newest state, again after each conflict. */
  async change(make: (state: SharedState) => readonly SharedChange[], tries = 100): Promise<void> {
    for (let left = tries; ; left--) {
      try {
        await this.commit(make(this.#state));
        return;
      } catch (error) {
        if ((error as CodedError).code !== 'changed-meanwhile' || left <= 1) throw error;
      }
    }
  }

  #apply(changes: readonly SharedChange[]): void {
    if (this.trouble) throw this.trouble;
    for (const change of changes) this.#state.apply(change);
  }
}

interface CommitOptions {
  readonly based?: number;
  readonly same?: readonly ObjectKey[];
  readonly uses?: readonly ObjectKey[];
  readonly unused?: readonly ObjectKey[];
}

/** A copy. */
function stateOf(state: SharedState): MutableSharedState {
  const copy = new MutableSharedState();
  for (const instance of state.instances.values()) copy.apply({ kind: 'put-instance', instance });
  for (const profile of state.profiles.values()) copy.apply({ kind: 'put-profile', profile });
  for (const image of state.images.values()) copy.apply({ kind: 'put-image', image });
  for (const alias of state.aliases.values()) copy.apply({ kind: 'put-alias', alias });
  for (const member of state.members.values()) copy.apply({ kind: 'put-member', member });
  for (const [fingerprint, members] of state.holders)
    for (const member of members) copy.apply({ kind: 'put-holder', fingerprint, member });
  return copy;
}

/** As a text that is the same for equal states. */
export function textOf(state: SharedState): string {
  const { instances, profiles, images, aliases, members, holders } = state;
  const holding = new Map([...holders].map(([fingerprint, names]) => [fingerprint, [...names].sort()]));
  const all = { instances, profiles, images, aliases, members, holding };
  return JSON.stringify(
    all,
    (_key, value: unknown) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
      const entries = value instanceof Map ? [...value] : Object.entries(value);
      return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
    },
    1,
  );
}
