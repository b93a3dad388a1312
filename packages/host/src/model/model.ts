import { type Clock, timestamp } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Addition, Change, Image, Instance, NewEvent, Profile, State } from '../core/entities.ts';
import { type Expanded, expand } from '../core/expand.ts';
import { hostError } from '../core/host-errors.ts';
import type { GuestView } from '../core/view.ts';
import { buildView } from '../core/view-build.ts';
import type { Store } from '../store/store.ts';
import type { LifecycleMetadata } from './events.ts';
import type { EventHub } from './hub.ts';

/** An event to be written with a change. */
export type EventDraft =
  | { readonly type: 'lifecycle'; readonly metadata: LifecycleMetadata; readonly causedBy?: number }
  | {
      readonly type: 'config' | 'device';
      readonly instanceId: number;
      readonly metadata: Readonly<Record<string, unknown>>;
    };

export interface ModelParts {
  readonly store: Store;
  readonly hub: EventHub;
  readonly clock: Clock;
  /** The host's name, as instances see it. */
  readonly location: string;
  readonly log: Log;
  /** Called with the views that a commit has changed, before the events of the commit are published. */
  readonly viewsChanged?: (views: readonly GuestView[]) => void;
  /** Called after each commit; must be quick, and not throw. */
  readonly committed?: (changes: readonly Change[]) => void;
}

/**
 * The state of the daemon: the contents of the store in memory, with expanded instances and views.
 * Invariants: memory equals the store after every commit; expanded instances and views are those of the
 * newest commit; events are published synchronously after their commit, so none is seen before its change.
 */
export class Model {
  readonly #store: Store;
  readonly #hub: EventHub;
  readonly #clock: Clock;
  readonly #location: string;
  readonly #log: Log;
  readonly #instances = new Map<number, Instance>();
  readonly #byName = new Map<string, Instance>();
  readonly #profiles = new Map<string, Profile>();
  readonly #images = new Map<string, Image>();
  readonly #aliases: Map<string, State['aliases'] extends ReadonlyMap<string, infer A> ? A : never>;
  readonly #expanded = new Map<number, Expanded>();
  readonly #views = new Map<number, GuestView>();
  /** Ids of instances whose view has changed in the current commit. */
  readonly #swapped = new Set<number>();
  readonly #viewsChanged: (views: readonly GuestView[]) => void;
  readonly #committed: (changes: readonly Change[]) => void;

  constructor(parts: ModelParts) {
    const { store, hub, clock, location, log, viewsChanged = () => {}, committed = () => {} } = parts;
    this.#committed = committed;
    this.#viewsChanged = viewsChanged;
    this.#store = store;
    this.#hub = hub;
    this.#clock = clock;
    this.#location = location;
    this.#log = log;
    const state = store.load();
    for (const profile of state.profiles.values()) this.#profiles.set(profile.name, profile);
    for (const image of state.images.values()) this.#images.set(image.fingerprint, image);
    this.#aliases = new Map(state.aliases);
    for (const instance of state.instances.values()) this.#put(instance);
  }

  get state(): State {
    return {
      instances: this.#instances,
      profiles: this.#profiles,
      images: this.#images,
      aliases: this.#aliases,
    };
  }

  /** @throws instance-not-found */
  instance(name: string): Instance {
    const instance = this.#byName.get(name);
    if (!instance) throw hostError('instance-not-found');
    return instance;
  }

  hasInstance(name: string): boolean {
    return this.#byName.has(name);
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
    const known = this.#instances.get(instance.id) === instance && this.#expanded.get(instance.id);
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

  /** The instances that use a profile. */
  usersOf(profile: string): Instance[] {
    return [...this.#instances.values()].filter((instance) => instance.profiles.includes(profile));
  }

  /**
   * Writes changes to the store, then applies them in memory, then publishes the events. If it throws,
   * nothing has changed.
   */
  commit(changes: readonly Change[], announcements: readonly EventDraft[] = []): void {
    this.#checkProfiles(changes);
    const now = timestamp(this.#clock);
    const events: NewEvent[] = announcements.map((each) => ({
      instanceId: each.type === 'lifecycle' ? null : each.instanceId,
      type: each.type,
      timestamp: now,
      metadata: { ...each.metadata },
      ...('causedBy' in each ? { causedBy: each.causedBy } : {}),
    }));
    const stored = this.#store.commit(changes, events);
    this.#swapped.clear();
    for (const change of changes) this.#apply(change);
    this.#tellOfViews();
    this.#committed(changes);
    for (const event of stored) {
      if (event.instanceId !== null) this.#hub.publishGuest(event.instanceId, event);
      else {
        const metadata = event.metadata as unknown as LifecycleMetadata;
        this.#hub.publishHost({
          type: 'lifecycle',
          timestamp: event.timestamp,
          metadata,
          sequence: event.sequence,
        });
      }
    }
  }

  /** Passes on all changed views before any listener is called, so that no answer is from an old one. */
  #tellOfViews(): void {
    if (this.#swapped.size === 0) return;
    this.#viewsChanged([...this.#swapped].flatMap((id) => this.#views.get(id) ?? []));
    for (const id of this.#swapped) this.#hub.publishView(id);
  }

  /** Checks that the profiles of changed instances exist: one may have been deleted or renamed meanwhile. */
  #checkProfiles(changes: readonly Change[]): void {
    const profiles = new Set(this.#profiles.keys());
    for (const change of changes) if (change.kind === 'put-profile') profiles.add(change.profile.name);
    for (const change of changes) if (change.kind === 'delete-profile') profiles.delete(change.name);
    for (const change of changes) {
      if (change.kind !== 'put-instance') continue;
      if (change.instance.profiles.some((name) => !profiles.has(name))) throw hostError('profile-not-found');
    }
  }

  #apply(change: Change): void {
    switch (change.kind) {
      case 'put-instance':
        this.#put(change.instance);
        return;
      case 'delete-instance':
        this.#delete(change.id);
        return;
      case 'put-profile':
        this.#profiles.set(change.profile.name, change.profile);
        for (const instance of this.usersOf(change.profile.name)) this.#put(instance);
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
      case 'give-instance-id':
      case 'keep-folder':
      case 'drop-folder':
      case 'put-additions':
      case 'drop-additions':
        return;
    }
  }

  #put(instance: Instance): void {
    const before = this.#instances.get(instance.id);
    if (before) this.#byName.delete(before.name);
    this.#instances.set(instance.id, instance);
    this.#byName.set(instance.name, instance);
    const expanded = expand(instance, this.#profiles);
    this.#expanded.set(instance.id, expanded);
    const warn = (warning: string) => this.#log.warn({ instance: instance.name, warning }, 'cloud-init data');
    const view = buildView(instance, expanded, this.#location, warn, this.#views.get(instance.id));
    this.#views.set(instance.id, view);
    this.#swapped.add(instance.id);
  }

  #delete(id: number): void {
    const before = this.#instances.get(id);
    if (before) this.#byName.delete(before.name);
    this.#instances.delete(id);
    this.#expanded.delete(id);
    this.#views.delete(id);
    this.#swapped.add(id);
  }
}
