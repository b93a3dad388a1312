import type { Clock } from '../base/clock.ts';
import type { CodedError } from '../base/coded-error.ts';
import { SLICE } from '../base/slices.ts';
import type { Addition, Change, Image, Instance, Profile, State } from '../core/entities.ts';
import { type Expanded, expand } from '../core/expand.ts';
import { hostError } from '../core/host-errors.ts';
import type { SharedInstance } from '../core/shared.ts';
import type { GuestView } from '../core/view.ts';
import type { ViewFollower } from '../core/view-follower.ts';
import type { Store } from '../store/sqlite/store.ts';
import { type Agreed, Agreement, type SharedSide } from './agreement.ts';
import { checkProfiles } from './check-profiles.ts';
import { type EventDraft, eventsOf } from './event-draft.ts';
import type { EventHub } from './hub.ts';
import { InstanceTable } from './instance-table.ts';
import { LargeChanges } from './large-changes.ts';
import { agreedOf, type LargeChange, type LargeSide, type Prepared } from './large-commit.ts';
import { type Made, type ViewParts, Views } from './views.ts';

export interface ModelParts extends ViewParts {
  readonly store: Store;
  /** Absent on a single host, whose own store decides. */
  readonly shared?: SharedSide;
  readonly hub: EventHub;
  readonly clock: Clock;
  /** Has a copy of the views. It gets changed views before the events of their commit are published. */
  readonly views?: ViewFollower;
  /** Called after each commit; must be quick, and not throw. */
  readonly committed?: (changes: readonly Change[]) => void;
}

const NO_OTHERS: ReadonlyMap<string, SharedInstance> = new Map();

/**
 * The state of the daemon: the contents of the store in memory, with expanded instances and views.
 * Invariants: memory equals the store after every commit; expanded instances and views are those of the
 * newest commit; events are published synchronously after their commit, so none is seen before its change.
 */
export class Model {
  readonly #store: Store;
  readonly #hub: EventHub;
  readonly #clock: Clock;
  readonly #instances = new InstanceTable();
  readonly #profiles = new Map<string, Profile>();
  readonly #images = new Map<string, Image>();
  readonly #aliases: Map<string, State['aliases'] extends ReadonlyMap<string, infer A> ? A : never>;
  readonly #views: Views;
  readonly #follower: ViewFollower | undefined;
  readonly #committed: (changes: readonly Change[]) => void;
  readonly #large = new LargeChanges();
  readonly #shared: SharedSide | undefined;
  readonly #agreement: Agreement;
  /** The number of changes of profiles. */
  #profilesVersion = 0;

  constructor(parts: ModelParts) {
    const { store, hub, clock, views, shared, committed = () => {} } = parts;
    this.#shared = shared;
    this.#agreement = new Agreement(shared, {
      instances: this.#instances,
      profiles: this.#profiles,
      profilesVersion: () => this.#profilesVersion,
      expanded: (instance) => this.expanded(instance),
      image: (fingerprint) => this.#images.get(fingerprint),
      holders: (fingerprint) => shared?.holders(fingerprint) ?? [],
    });
    this.#committed = committed;
    this.#store = store;
    this.#hub = hub;
    this.#clock = clock;
    this.#follower = views;
    this.#views = new Views(parts);
    const state = store.load();
    for (const profile of state.profiles.values()) this.#profiles.set(profile.name, profile);
    for (const image of state.images.values()) this.#images.set(image.fingerprint, image);
    this.#aliases = new Map(state.aliases);
    for (const instance of state.instances.values()) this.#put(instance);
    this.#views.remake(this.#instances.all, this.#profiles);
  }

  get state(): State {
    const [profiles, images, aliases] = [this.#profiles, this.#images, this.#aliases];
    return { instances: this.#instances.all, profiles, images, aliases };
  }

  /** @throws instance-not-found */
  instance(name: string): Instance {
    const instance = this.#instances.named(name);
    if (!instance) throw hostError('instance-not-found');
    return instance;
  }

  /** Whether this host, or another one that shares its names, has an instance of this name. */
  hasInstance(name: string): boolean {
    return this.isOwn(name) || this.others.has(name);
  }

  /** Whether this host has an instance of this name. */
  isOwn(name: string): boolean {
    return this.#instances.named(name) !== undefined;
  }

  /** The instances of other hosts, by name. */
  get others(): ReadonlyMap<string, SharedInstance> {
    return this.#shared?.others() ?? NO_OTHERS;
  }

  /** The newest state of an instance; undefined if it has been deleted. */
  instanceById(id: number): Instance | undefined {
    return this.#instances.get(id);
  }

  /** The newest state of an instance. @throws instance-not-found if it has been deleted */
  current(id: number): Instance {
    const instance = this.#instances.get(id);
    if (!instance) throw hostError('instance-not-found');
    return instance;
  }

  /** Expanded config and devices of an instance, which may differ from the stored one. */
  expanded(instance: Instance): Expanded {
    const known = this.#instances.get(instance.id) === instance && this.#views.expanded(instance.id);
    return known || expand(instance, this.#profiles);
  }

  view(instanceId: number): GuestView | undefined {
    return this.#views.get(instanceId);
  }

  /** By instance id, the devices that were being added to running instances when the last daemon ended. */
  additions(): ReadonlyMap<number, readonly Addition[]> {
    return this.#store.additions();
  }

  nextInstanceId(): number {
    return this.#store.nextInstanceId();
  }

  /** The instances of this host that use a profile, by their ids. */
  usersOf(profile: string): Instance[] {
    return this.#instances.usersOf(profile);
  }

  /** Whether an image, or an instance with a root from it, exists. @param fingerprint empty: no image */
  needsRoot(fingerprint: string): boolean {
    return this.#images.has(fingerprint) || this.#instances.hasRootOf(fingerprint);
  }

  /** The adopted instances that are, or were last, the container with an id of its runtime. */
  ofContainer(id: string): Instance[] {
    return this.#instances.ofContainer(id);
  }

  /** How many instances are containers of a user of the host. */
  countOfUser(uid: number): number {
    return this.#instances.countOf(uid);
  }

  /**
   * Commits a change of objects that others may share. On a single host it is committed within this call.
   * @param make checks the change and makes it from the newest state; called again if another change came first
   * @throws changed-meanwhile, and the errors of `make`; then nothing has changed
   */
  change(make: () => Agreed): Promise<void> {
    return this.#agreement.change(make, ({ changes, events }) => this.follow(changes, events));
  }

  /**
   * Writes changes to this host's store, then applies them in memory, then publishes the events. If it throws,
   * nothing has changed. Changes of objects that others may share go through {@link change}.
   */
  commit(changes: readonly Change[], announcements: readonly EventDraft[] = []): void {
    this.#agreement.checkOwn(changes);
    checkProfiles(this.#profiles, changes);
    this.#commit(changes, announcements);
  }

  /** Refuses changes of objects that others may share; see {@link Agreement.pause}. */
  pause(error: CodedError): Promise<() => void> {
    return this.#agreement.pause(error);
  }

  /** Commits changes here that others have agreed on already. */
  follow(changes: readonly Change[], announcements: readonly EventDraft[]): void {
    checkProfiles(this.#profiles, changes);
    this.#commit(changes, announcements);
  }

  #commit(changes: readonly Change[], announcements: readonly EventDraft[]): void {
    const stored = this.#store.commit(changes, eventsOf(announcements, this.#clock));
    this.#views.begin();
    for (const change of changes) this.#apply(change);
    this.#views.remake(this.#instances.all, this.#profiles);
    this.#tellOfViews();
    this.#committed(changes);
    for (const event of stored) this.#hub.publishStored(event);
  }

  /** Commits a change of several instances: in one turn if they are few, otherwise as a large change. */
  async commitMany(change: LargeChange): Promise<void> {
    // One of others never waits for one of this host, whose turn comes only after it.
    const isBefore = change.isFollowed && this.#large.areUndecided;
    if (change.ids.length > SLICE && !isBefore) return this.commitLarge(change);
    const make = () => agreedOf(change, (id) => this.current(id));
    if (!change.isFollowed) return this.change(make);
    const { changes, events = [] } = make();
    this.follow(changes, events);
  }

  /**
   * Commits a change that touches many instances, in slices that leave the thread free between them. Nothing of it can
   * be seen before its commit, also after a crash. The instances may write values of their own meanwhile. Resolves when
   * its events are published; if it rejects, nothing has changed.
   */
  commitLarge(change: LargeChange): Promise<void> {
    return this.#large.run(change, this.#largeSide());
  }

  #largeSide(): LargeSide {
    return {
      store: this.#store,
      follower: this.#follower,
      eventsOf: (drafts) => eventsOf(drafts, this.#clock),
      check: (changes) => checkProfiles(this.#profiles, changes),
      shared: (changes) => this.#agreement.partOf(changes),
      agree: (part, apply) => this.#agreement.agree(part, apply),
      ...{ profiles: () => this.#profiles, profilesVersion: () => this.#profilesVersion },
      instance: (id) => this.#instances.get(id),
      make: (instance, profiles) => this.#views.make(instance, profiles),
      apply: (changes, large) => this.#applyLarge(changes, large),
      settle: () => this.#views.settle(),
      publish: (isTouched, events) => this.#hub.publishInTurns(isTouched, events),
      publishHost: (event) => this.#hub.publishStored(event),
    };
  }

  /** Passes on all changed views before any listener is called, so that no answer is from an old one. */
  #tellOfViews(): void {
    if (this.#views.touched.size === 0) return;
    this.#follower?.changed(this.#views.changed);
    for (const id of this.#views.touched) this.#hub.publishView(id);
  }

  /** Applies a large change, with what was made for it before. @returns the views of the others that it touches */
  #applyLarge(changes: readonly Change[], { made, instances }: Prepared): GuestView[] {
    const all = [
      ...changes,
      ...Array.from(instances, (instance): Change => ({ kind: 'put-instance', instance })),
    ];
    this.#views.begin();
    for (const change of all) this.#apply(change, made);
    this.#views.take(made);
    this.#views.remake(this.#instances.all, this.#profiles);
    this.#committed(all);
    return this.#views.changed;
  }

  /** @param made has the instances that are not touched, since their views are made already */
  #apply(change: Change, made?: ReadonlyMap<number, Made>): void {
    if (change.kind.endsWith('-profile')) this.#profilesVersion++;
    switch (change.kind) {
      case 'put-instance':
        this.#put(change.instance);
        return;
      case 'delete-instance':
        this.#instances.delete(change.id);
        this.#views.delete(change.id);
        return;
      case 'put-profile':
        this.#profiles.set(change.profile.name, change.profile);
        for (const id of this.#instances.userIdsOf(change.profile.name))
          if (!made?.has(id)) this.#views.touch(id);
        return;
      case 'delete-profile':
        this.#profiles.delete(change.name);
        return;
      case 'put-image':
        this.#images.set(change.image.fingerprint, change.image);
        return;
      case 'delete-image':
        this.#images.delete(change.fingerprint);
        return;
      case 'put-alias':
        this.#aliases.set(change.alias.name, change.alias);
        return;
      case 'delete-alias':
        this.#aliases.delete(change.name);
        return;
      // The others are of the store alone.
    }
  }

  #put(instance: Instance): void {
    this.#instances.put(instance);
    this.#views.touch(instance.id);
  }
}
