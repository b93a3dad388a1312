import { nextTurn, SLICE, SLICE_CHARACTERS } from '../base/slices.ts';
import type { Change, Instance, NewEvent, Profile, StoredEvent } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import type { GuestView } from '../core/view.ts';
import type { ViewFollower } from '../core/view-follower.ts';
import type { StagedRows, Store } from '../store/store.ts';
import type { EventDraft } from './event-draft.ts';
import type { Made } from './views.ts';

/** What a large change does to one instance. */
export interface LargePart {
  /** Null if its record stays: only what it has from its profiles changes. */
  readonly instance: Instance | null;
  readonly events: readonly EventDraft[];
}

/** A change that touches many instances. */
export interface LargeChange {
  readonly ids: readonly number[];
  /** The part of one instance, from its newest state; called again if that changes before the commit. */
  readonly partOf: (current: Instance) => LargePart;
  /** Changes of anything but these instances, in the same commit. */
  readonly changes: readonly Change[];
  /** Events that come last. */
  readonly events: readonly EventDraft[];
  /** Called in the turn of the commit, before it. If it throws, nothing changes. */
  readonly check?: () => void;
}

/** The model, as large changes see it. */
export interface LargeSide {
  readonly store: Store;
  readonly follower: ViewFollower | undefined;
  eventsOf(drafts: readonly EventDraft[]): NewEvent[];
  /** @throws profile-not-found */
  check(changes: readonly Change[]): void;
  profiles(): ReadonlyMap<string, Profile>;
  instance(id: number): Instance | undefined;
  make(instance: Instance, profiles: ReadonlyMap<string, Profile>): Made;
  /** @returns the views of instances for which nothing was made */
  apply(changes: readonly Change[], made: ReadonlyMap<number, Made>): GuestView[];
  /** Publishes changed views and events of instances, in turns. */
  publish(events: ReadonlyMap<number, readonly StoredEvent[]>): Promise<void>;
  publishHost(event: StoredEvent): void;
}

/** Times that instances which have changed meanwhile are prepared again before the commit takes the rest. */
const ROUNDS_MAX = 10;

/**
 * One large change. First, in slices: the rows are staged, and views are made and given to the fast lane; none of
 * that counts yet. Then one turn makes all of it true: a small commit, then the views, then the fast lane's. Then the
 * events are published, in slices. Until the commit, an error or a crash leaves nothing but rows that nobody reads.
 */
export class LargeCommit {
  readonly #side: LargeSide;
  readonly #change: LargeChange;
  readonly #made = new Map<number, Made>();
  /** The states that the parts were made from. */
  readonly #seen = new Map<number, Instance>();
  /** Whether the commit has been made: from then on nothing is given up. */
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
    await published;
  }

  async #commit() {
    const { store, follower } = this.#side;
    try {
      let waiting: readonly number[] = this.#change.ids;
      for (let round = 0; round === 0 || (waiting.length > SLICE && round < ROUNDS_MAX); round++) {
        await this.#prepareAll(waiting);
        waiting = this.#overtaken();
      }
      return this.#finish(waiting);
    } catch (error) {
      if (!this.#isTrue) {
        store.giveUpStaging();
        follower?.forget();
      }
      throw error;
    }
  }

  async #prepareAll(ids: readonly number[]): Promise<void> {
    const { store, follower } = this.#side;
    const waiting = ids.values();
    for (let rows = this.#slice(waiting); rows.length > 0; rows = this.#slice(waiting)) {
      store.stage(rows);
      follower?.prepare(rows.flatMap(({ instanceId }) => this.#made.get(instanceId)?.view ?? []));
      await Promise.all([follower?.caughtUp(), nextTurn()]);
    }
  }

  /** @returns the rows of as many of these instances as one turn takes */
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

  /** @returns the rows of an instance, for which everything is made */
  #prepare(instanceId: number, profiles: ReadonlyMap<string, Profile>): StagedRows {
    const current = this.#side.instance(instanceId);
    if (!current) throw hostError('instance-not-found');
    const { instance, events } = this.#change.partOf(current);
    this.#seen.set(instanceId, current);
    this.#made.set(instanceId, this.#side.make(instance ?? current, profiles));
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

  /** The instances whose part was made from an older state. */
  #overtaken(): number[] {
    return this.#change.ids.filter((id) => this.#seen.get(id) !== this.#side.instance(id));
  }

  /**
   * The one turn in which the change becomes durable, then visible, then known.
   * @returns wrapped, so that the end of the commit does not wait for it
   */
  #finish(waiting: readonly number[]) {
    const { store, follower } = this.#side;
    const { changes } = this.#change;
    const profiles = this.#profiles();
    const last = waiting.map((id) => this.#prepare(id, profiles));
    this.#change.check?.();
    this.#side.check(changes);
    const events = store.commitStaged(last, changes, this.#side.eventsOf(this.#change.events));
    this.#isTrue = true;
    const others = this.#side.apply(changes, this.#made);
    const late = last.flatMap(({ instanceId }) => this.#made.get(instanceId)?.view ?? []);
    const all = [...this.#made.values()].map(({ view }) => view);
    follower?.swap([...late, ...others], all);
    // Both in this turn, since the events of the next commit come after these.
    for (const event of events.others) this.#side.publishHost(event);
    return { published: this.#side.publish(this.#withViews(events.staged, others)) };
  }

  /** Every touched instance has a new view, with or without events. */
  #withViews(events: ReadonlyMap<number, readonly StoredEvent[]>, others: readonly GuestView[]) {
    const touched = new Map<number, readonly StoredEvent[]>(others.map(({ instanceId }) => [instanceId, []]));
    for (const id of this.#made.keys()) touched.set(id, events.get(id) ?? []);
    return touched;
  }
}

/** Characters of config in a view. */
function sizeOf(view: GuestView | undefined): number {
  let size = 0;
  for (const value of view?.config.values() ?? []) size += value.length;
  return size;
}
