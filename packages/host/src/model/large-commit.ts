import { nextTurn, SLICE, SLICE_CHARACTERS } from '../base/slices.ts';
import type { Change, Instance, NewEvent, Profile, StoredEvent } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import type { GuestView } from '../core/view.ts';
import type { ViewFollower } from '../core/view-follower.ts';
import type { StagedRows, Store } from '../store/sqlite/store.ts';
import type { Agreed } from './agreement.ts';
import type { EventDraft } from './event-draft.ts';
import { joined, type SharedPart } from './shared-changes.ts';
import type { Made } from './views.ts';

/** What a large change does to one instance. */
export interface LargePart {
  /** Null if only what the instance has from its profiles changes, and its own row stays. */
  readonly instance: Instance | null;
  readonly events: readonly EventDraft[];
}

/** A change that touches many instances. */
export interface LargeChange {
  readonly ids: readonly number[];
  /** The part of one instance, from its newest state. It is called again if the instance changes before the commit. */
  readonly partOf: (current: Instance) => LargePart;
  /** Changes of other objects in the same commit. */
  readonly changes: readonly Change[];
  /** Events that follow those of the instances. */
  readonly events: readonly EventDraft[];
  /** Called in the turn of the commit, before it. If it throws, nothing changes. */
  readonly check?: () => void;
  /** Instances to which the change applies too by then. Called after `check`, in the same turn. */
  readonly newcomers?: () => readonly number[];
  /** Whether the change follows one that others have agreed on already. */
  readonly isFollowed?: boolean;
}

/** The change as one that is committed in one turn, made from the newest state of its instances. */
export function agreedOf(change: LargeChange, current: (id: number) => Instance): Agreed {
  const { ids, partOf, changes, events, check, newcomers } = change;
  check?.();
  const parts = [...ids, ...(newcomers?.() ?? [])].map((id) => partOf(current(id)));
  const puts = parts.flatMap(({ instance }): Change[] =>
    instance ? [{ kind: 'put-instance', instance }] : [],
  );
  return { changes: [...changes, ...puts], events: [...parts.flatMap((part) => part.events), ...events] };
}

/** What a large change makes before its commit. */
export interface Prepared {
  /** The receiver keeps this map. */
  readonly made: Map<number, Made>;
  /** The new states of the instances that change themselves. */
  readonly instances: Iterable<Instance>;
}

/** The model, as large changes see it. */
export interface LargeSide {
  readonly store: Store;
  readonly follower: ViewFollower | undefined;
  eventsOf(drafts: readonly EventDraft[]): NewEvent[];
  /** @throws profile-not-found */
  check(changes: readonly Change[]): void;
  /** What others share of these changes; null if there are no others. */
  shared(changes: readonly Change[]): SharedPart | null;
  /** Calls `apply` when the change's turn has come. */
  agree(part: SharedPart, apply: (extra: readonly Change[]) => void): Promise<void>;
  profiles(): ReadonlyMap<string, Profile>;
  /** Another number after each change of profiles. */
  profilesVersion(): number;
  instance(id: number): Instance | undefined;
  make(instance: Instance, profiles: ReadonlyMap<string, Profile>): Made;
  /** @returns the views of instances for which nothing was made */
  apply(changes: readonly Change[], prepared: Prepared): GuestView[];
  /** Does some of the work in memory that a commit leaves for later. @returns whether nothing is left */
  settle(): boolean;
  /** Publishes changed views and events of instances, in turns. */
  publish(
    isTouched: (id: number) => boolean,
    events: ReadonlyMap<number, readonly StoredEvent[]>,
  ): Promise<void>;
  publishHost(event: StoredEvent): void;
}

/** How often instances that have changed are prepared again. After that the commit prepares the rest. */
const ROUNDS_MAX = 10;

/**
 * One large change. First it works in slices: it stages the rows, makes the views and sends them to the fast lane,
 * which does not use them yet. Then all of it takes effect in one turn: a small commit, then the views of the model,
 * then those of the fast lane. Then it publishes the events, in slices. An error or a crash before the commit leaves
 * only staged rows, which no reader sees.
 */
export class LargeCommit {
  readonly #side: LargeSide;
  readonly #change: LargeChange;
  readonly #made = new Map<number, Made>();
  /** The new states of instances that change themselves. */
  readonly #instances = new Map<number, Instance>();
  /** The states that the parts were made from. */
  readonly #seen = new Map<number, Instance>();
  /** What others share of the change, in parts; empty if there are no others. */
  readonly #shared: SharedPart[] = [];
  /** That of the profiles that the parts were made from. */
  #profilesVersion = 0;
  /** Whether the commit has been made. After that an error does not undo the change. */
  #isTrue = false;

  constructor(side: LargeSide, change: LargeChange) {
    this.#side = side;
    this.#change = change;
  }

  async run(): Promise<void> {
    const { store } = this.#side;
    for (; store.isUntidy; await nextTurn()) store.tidy();
    store.beginStaging();
    const { published } = await this.#commit();
    await Promise.all([published, this.#settle()]);
  }

  async #settle(): Promise<void> {
    do await nextTurn();
    while (![this.#side.settle(), this.#side.store.countStaged()].every(Boolean));
  }

  async #commit() {
    const { store, follower } = this.#side;
    try {
      let waiting: readonly number[] = this.#change.ids;
      for (let round = 0; round === 0 || (waiting.length > SLICE && round < ROUNDS_MAX); round++) {
        await this.#prepareAll(waiting);
        waiting = this.#overtaken();
      }
      return this.#change.isFollowed ? this.#finish(waiting, []) : await this.#agree(waiting);
    } catch (error) {
      if (!this.#isTrue) {
        store.giveUpStaging();
        follower?.forget();
      }
      throw error;
    }
  }

  /** Makes the change, in its turn among those of others if there are any. */
  async #agree(waiting: readonly number[]) {
    const own = this.#side.shared(this.#change.changes);
    if (!own) return this.#finish(waiting, []);
    // The commit would do this too late: others must know of all of them.
    const late = [...waiting, ...(this.#change.newcomers?.() ?? [])];
    for (const id of late) this.#prepare(id, this.#profiles());
    const end = Promise.withResolvers<{ published: Promise<void> }>();
    await this.#side.agree(joined([own, ...this.#shared]), (extra) =>
      end.resolve(this.#finish(this.#overtaken(), extra)),
    );
    return end.promise;
  }

  async #prepareAll(ids: readonly number[]): Promise<void> {
    this.#profilesVersion = this.#side.profilesVersion();
    const { store, follower } = this.#side;
    const waiting = ids.values();
    for (let rows = this.#slice(waiting); rows.length > 0; rows = this.#slice(waiting)) {
      store.stage(rows);
      follower?.prepare(rows.flatMap(({ instanceId }) => this.#made.get(instanceId)?.view ?? []));
      await Promise.all([follower?.caughtUp(), nextTurn()]);
    }
  }

  /** Prepares as many of these instances as one turn may take. @returns their rows */
  #slice(waiting: ArrayIterator<number>): StagedRows[] {
    const rows: StagedRows[] = [];
    const profiles = this.#profiles();
    let size = 0;
    while (rows.length < SLICE && size < SLICE_CHARACTERS) {
      const { done, value } = waiting.next();
      if (done) break;
      rows.push(this.#prepare(value, profiles));
      size += sizeOf(this.#made.get(value)?.view);
    }
    return rows;
  }

  /** Makes the rows, events and view of an instance. @returns the rows */
  #prepare(instanceId: number, profiles: ReadonlyMap<string, Profile>): StagedRows {
    const current = this.#side.instance(instanceId);
    if (!current) throw hostError('instance-not-found');
    const { instance, events } = this.#change.partOf(current);
    this.#seen.set(instanceId, current);
    this.#made.set(instanceId, this.#side.make(instance ?? current, profiles));
    if (instance) this.#instances.set(instanceId, instance);
    else this.#instances.delete(instanceId);
    const part = instance && this.#side.shared([{ kind: 'put-instance', instance }]);
    if (part) this.#shared.push(part);
    return { instanceId, instance, events: this.#side.eventsOf(events) };
  }

  /** All profiles, as they are after the change. */
  #profiles(): ReadonlyMap<string, Profile> {
    const profiles = new Map(this.#side.profiles());
    for (const change of this.#change.changes) {
      if (change.kind === 'put-profile') profiles.set(change.profile.name, change.profile);
    }
    return profiles;
  }

  /** The instances that have changed since their part was made, or whose profiles may have. */
  #overtaken(): number[] {
    const isAsMade = this.#side.profilesVersion() === this.#profilesVersion;
    return this.#change.ids.filter((id) => !isAsMade || this.#seen.get(id) !== this.#side.instance(id));
  }

  /**
   * The one turn in which the change becomes durable, then visible, then known.
   * @returns the end of the publication, in an object, so that an `await` of the commit does not wait for it
   */
  #finish(waiting: readonly number[], extra: readonly Change[]) {
    const { store, follower } = this.#side;
    const changes = [...this.#change.changes, ...extra];
    const profiles = this.#profiles();
    this.#change.check?.();
    const late = this.#change.newcomers?.() ?? [];
    const last = [...waiting, ...late].map((id) => this.#prepare(id, profiles));
    this.#side.check(changes);
    const events = store.commitStaged(last, changes, this.#side.eventsOf(this.#change.events));
    this.#isTrue = true;
    const others = this.#side.apply(changes, { made: this.#made, instances: this.#instances.values() });
    const fresh = last.flatMap(({ instanceId }) => this.#made.get(instanceId)?.view ?? []);
    follower?.swap([...fresh, ...others], (id) => this.#made.get(id)?.view);
    // Both begin in this turn, because the events of the next commit must come after these.
    for (const event of events.others) this.#side.publishHost(event);
    const otherIds = new Set(others.map(({ instanceId }) => instanceId));
    const isTouched = (id: number) => this.#made.has(id) || otherIds.has(id);
    return { published: this.#side.publish(isTouched, events.staged) };
  }
}

/** How many characters of config a view has. */
function sizeOf(view: GuestView | undefined): number {
  let size = 0;
  for (const value of view?.config.values() ?? []) size += value.length;
  return size;
}
