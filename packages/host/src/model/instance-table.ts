import { containerOf } from '../core/container.ts';
import type { Instance } from '../core/entities.ts';
import { GroupIndex } from './group-index.ts';

/** All instances, found by what requests and other work look for. */
export class InstanceTable {
  readonly #all = new Map<number, Instance>();
  readonly #byName = new Map<string, Instance>();
  readonly #byProfile = new GroupIndex<string>();
  readonly #byImage = new GroupIndex<string>();
  readonly #byContainer = new GroupIndex<string>();
  readonly #byOwner = new GroupIndex<string>();
  #version = 0;

  get all(): ReadonlyMap<number, Instance> {
    return this.#all;
  }

  /** Another number after each change. */
  get version(): number {
    return this.#version;
  }

  get(id: number): Instance | undefined {
    return this.#all.get(id);
  }

  named(name: string): Instance | undefined {
    return this.#byName.get(name);
  }

  /** The ids of the instances that use a profile. */
  userIdsOf(profile: string): ReadonlySet<number> {
    return this.#byProfile.of(profile);
  }

  /** The instances that use a profile, by their ids. */
  usersOf(profile: string): Instance[] {
    return this.#of(this.#byProfile.of(profile)).sort((one, other) => one.id - other.id);
  }

  /** Whether the root of an instance is from an image. @param fingerprint empty: made without an image */
  hasRootOf(fingerprint: string): boolean {
    return this.#byImage.has(fingerprint);
  }

  /** The adopted instances that are, or were last, the container with an id of its runtime. */
  ofContainer(id: string): Instance[] {
    return this.#of(this.#byContainer.of(id));
  }

  /** How many instances are containers of a user of the host. */
  countOf(uid: number): number {
    return this.#byOwner.of(String(uid)).size;
  }

  put(instance: Instance): void {
    const { id, name, profiles, config } = instance;
    const before = this.#all.get(id);
    if (before && before.name !== name) this.#byName.delete(before.name);
    this.#all.set(id, instance);
    this.#version++;
    this.#byName.set(name, instance);
    this.#byProfile.set(id, profiles);
    if (before?.config !== config) this.#indexConfig(instance);
  }

  delete(id: number): void {
    const before = this.#all.get(id);
    if (!before) return;
    this.#all.delete(id);
    this.#version++;
    this.#byName.delete(before.name);
    for (const index of [this.#byProfile, this.#byImage, this.#byContainer, this.#byOwner]) index.set(id, []);
  }

  #indexConfig({ id, config }: Instance): void {
    const container = containerOf(config);
    this.#byImage.set(id, [config['volatile.base_image'] ?? '']);
    this.#byContainer.set(id, container ? [container.id] : []);
    this.#byOwner.set(id, container?.owner ? [container.owner] : []);
  }

  #of(ids: ReadonlySet<number>): Instance[] {
    const found: Instance[] = [];
    for (const id of ids) {
      const instance = this.#all.get(id);
      if (instance) found.push(instance);
    }
    return found;
  }
}
