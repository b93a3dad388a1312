/** Finds the members of groups, such as the instances of a profile, without a look at all instances. */
export class GroupIndex<K> {
  readonly #members = new Map<K, Set<number>>();
  readonly #keys = new Map<number, readonly K[]>();

  /** The ids of a group's members, in the order in which they joined it. */
  of(key: K): ReadonlySet<number> {
    return this.#members.get(key) ?? new Set();
  }

  has(key: K): boolean {
    return this.#members.has(key);
  }

  /** Sets the groups of a member; none removes it. */
  set(id: number, keys: readonly K[]): void {
    const before = this.#keys.get(id) ?? [];
    if (before.length === keys.length && before.every((key, at) => key === keys[at])) return;
    for (const key of before) this.#leave(id, key);
    for (const key of keys) this.#members.set(key, (this.#members.get(key) ?? new Set()).add(id));
    if (keys.length > 0) this.#keys.set(id, keys);
    else this.#keys.delete(id);
  }

  #leave(id: number, key: K): void {
    const members = this.#members.get(key);
    members?.delete(id);
    if (members?.size === 0) this.#members.delete(key);
  }
}
