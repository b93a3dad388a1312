import type { Log } from '../base/log.ts';
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
  readonly #expanded = new Map<number, Expanded>();
  readonly #views = new Map<number, GuestView>();
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
    return this.#views.get(instanceId);
  }

  expanded(instanceId: number): Expanded | undefined {
    return this.#expanded.get(instanceId);
  }

  /** The instances that the current commit touches: those that have changed, and those that are gone. */
  get touched(): ReadonlySet<number> {
    return this.#touched;
  }

  /** The new views of the touched instances. */
  get changed(): GuestView[] {
    return [...this.#touched].flatMap((id) => this.#views.get(id) ?? []);
  }

  /** Call it before the changes of a commit are applied. */
  begin(): void {
    this.#touched.clear();
  }

  touch(instanceId: number): void {
    this.#touched.add(instanceId);
  }

  delete(instanceId: number): void {
    this.#expanded.delete(instanceId);
    this.#views.delete(instanceId);
    this.#touched.add(instanceId);
  }

  /** Makes the expanded config and the view of each touched instance, once for all changes of a commit. */
  remake(instances: ReadonlyMap<number, Instance>, profiles: Profiles): void {
    for (const id of this.#touched) {
      const instance = instances.get(id);
      if (instance) this.#keep(this.make(instance, profiles));
    }
  }

  /** Uses what was made of an instance before the commit. */
  take(made: Made): void {
    this.#keep(made);
    this.#touched.delete(made.instance.id);
  }

  make(instance: Instance, profiles: Profiles): Made {
    const expanded = expand(instance, profiles);
    const warn = (warning: string) => this.#log.warn({ instance: instance.name, warning }, 'cloud-init data');
    const view = this.#build(instance, expanded, this.#location, warn, this.#views.get(instance.id));
    return { instance, expanded, view };
  }

  #keep({ instance: { id }, expanded, view }: Made): void {
    this.#expanded.set(id, expanded);
    this.#views.set(id, view);
  }
}
