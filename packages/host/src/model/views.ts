import type { Log } from '../base/log.ts';
import { SLICE } from '../base/slices.ts';
import type { Instance, Profile } from '../core/entities.ts';
import { type Expanded, expand } from '../core/expand.ts';
import type { GuestView } from '../core/view.ts';
import { buildView } from '../core/view-build.ts';

/** What the model has in memory of one instance. */
export interface Made {
  readonly instance: Instance;
  readonly expanded: Expanded;
  readonly view: GuestView;
}

export interface ViewParts {
  /** The host's name, as instances see it. */
  readonly location: string;
  readonly log: Log;
  /** Makes the view of an instance. */
  readonly build?: typeof buildView;
}

type Profiles = ReadonlyMap<string, Profile>;

/** Expanded config and view of each instance, as of the newest commit. */
export class Views {
  readonly #made = new Map<number, Made>();
  /** What the last large change has made. It counts before `#made`, to which it is moved in slices. */
  #newest = new Map<number, Made>();
  /** Instances that the current commit touches. */
  readonly #touched = new Set<number>();
  readonly #location: string;
  readonly #log: Log;
  readonly #build: typeof buildView;

  constructor({ location, log, build = buildView }: ViewParts) {
    this.#location = location;
    this.#log = log;
    this.#build = build;
  }

  get(instanceId: number): GuestView | undefined {
    return this.#of(instanceId)?.view;
  }

  expanded(instanceId: number): Expanded | undefined {
    return this.#of(instanceId)?.expanded;
  }

  /** The instances that the current commit touches: those that have changed, and those that are gone. */
  get touched(): ReadonlySet<number> {
    return this.#touched;
  }

  /** The new views of the touched instances. */
  get changed(): GuestView[] {
    return [...this.#touched].flatMap((id) => this.get(id) ?? []);
  }

  /** Call it before the changes of a commit are applied. */
  begin(): void {
    this.#touched.clear();
  }

  touch(instanceId: number): void {
    this.#touched.add(instanceId);
  }

  delete(instanceId: number): void {
    this.#made.delete(instanceId);
    this.#newest.delete(instanceId);
    this.#touched.add(instanceId);
  }

  /** Makes the expanded config and the view of each touched instance, once for all changes of a commit. */
  remake(instances: ReadonlyMap<number, Instance>, profiles: Profiles): void {
    for (const id of this.#touched) {
      const instance = instances.get(id);
      if (instance) this.#keep(this.make(instance, profiles));
    }
  }

  /**
   * Uses what was made before the commit of a large change. The time does not depend on the number of its instances,
   * unless its commit touches them.
   */
  take(made: Map<number, Made>): void {
    while (!this.settle());
    this.#newest = made;
    for (const id of this.#touched) if (made.has(id)) this.#touched.delete(id);
  }

  /** Moves some of what {@link take} was given. @returns whether nothing is left */
  settle(): boolean {
    for (const made of this.#newest.values().take(SLICE)) this.#keep(made);
    return this.#newest.size === 0;
  }

  make(instance: Instance, profiles: Profiles): Made {
    const expanded = expand(instance, profiles);
    const warn = (warning: string) => this.#log.warn({ instance: instance.name, warning }, 'cloud-init data');
    const view = this.#build(instance, expanded, this.#location, warn, this.get(instance.id));
    return { instance, expanded, view };
  }

  #of(instanceId: number): Made | undefined {
    return this.#newest.get(instanceId) ?? this.#made.get(instanceId);
  }

  #keep(made: Made): void {
    this.#made.set(made.instance.id, made);
    this.#newest.delete(made.instance.id);
  }
}
