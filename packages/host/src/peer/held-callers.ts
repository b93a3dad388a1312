/** Callers that wait of one PID namespace: as many as an instance may have connections. */
const HELD_PER_NAMESPACE_MAX = 256;
/** Of one namespace when many wait already: those that an instance is sure of. */
const HELD_SURE_PER_NAMESPACE = 4;
/** From here on only those wait. */
const HELD_MANY = 12_288;
/** All that wait: the connections that thousands of instances keep open over a restart, and new ones. */
const HELD_TOTAL_MAX = 32_768;

/**
 * Callers that wait until it is known whether they belong to an instance that is being started or recognised. Each
 * waits under the outermost PID namespace below ours that it is in; the processes of an instance cannot be in any
 * other, and few namespaces cannot take the places of all.
 */
export class HeldCallers<T> {
  readonly #byNamespace = new Map<string, T[]>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Has a caller wait; false when too many do already. */
  hold(namespace: string, caller: T): boolean {
    const its = this.#byNamespace.get(namespace);
    const most = this.#count < HELD_MANY ? HELD_PER_NAMESPACE_MAX : HELD_SURE_PER_NAMESPACE;
    if ((its?.length ?? 0) >= most || this.#count >= HELD_TOTAL_MAX) return false;
    if (its === undefined) this.#byNamespace.set(namespace, [caller]);
    else its.push(caller);
    this.#count++;
    return true;
  }

  /** Takes out those of a namespace. */
  take(namespace: string): readonly T[] {
    const its = this.#byNamespace.get(namespace) ?? [];
    this.#byNamespace.delete(namespace);
    this.#count -= its.length;
    return its;
  }

  /** Takes out all, in the order in which their namespaces came. */
  takeAll(): readonly T[] {
    const all = [...this.#byNamespace.values()].flat();
    this.#byNamespace.clear();
    this.#count = 0;
    return all;
  }
}
