/** Callers of one PID namespace that may wait: as many as an instance may have connections. */
const HELD_PER_NAMESPACE_MAX = 256;
/** Callers of one namespace that may wait when many wait already: as many as an instance is guaranteed. */
const HELD_SURE_PER_NAMESPACE = 4;
/** When this many wait, further ones may wait only up to `HELD_SURE_PER_NAMESPACE`. */
const HELD_MANY = 12_288;
/** Callers that may wait in total: connections that thousands of instances keep over a restart, and more. */
const HELD_TOTAL_MAX = 32_768;

/** How long a caller waits, in milliseconds, where another program starts instances and no start is known of. */
export const PATIENCE_MS = 1_000;

/**
 * Callers that wait until it is known whether they belong to an instance that is being started or recognised.
 * Each waits under the outermost PID namespace below the daemon's that it is in. Processes of an instance
 * cannot be in any other one, and a few namespaces cannot take all places.
 */
export class HeldCallers<T> {
  readonly #byNamespace = new Map<string, T[]>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Makes a caller wait; false when too many already wait. */
  hold(namespace: string, caller: T): boolean {
    const its = this.#byNamespace.get(namespace);
    const most = this.#count < HELD_MANY ? HELD_PER_NAMESPACE_MAX : HELD_SURE_PER_NAMESPACE;
    if ((its?.length ?? 0) >= most || this.#count >= HELD_TOTAL_MAX) return false;
    if (its === undefined) this.#byNamespace.set(namespace, [caller]);
    else its.push(caller);
    this.#count++;
    return true;
  }

  /** Takes out one caller; false if it does not wait. */
  remove(namespace: string, caller: T): boolean {
    const its = this.#byNamespace.get(namespace);
    const at = its?.indexOf(caller) ?? -1;
    if (its === undefined || at < 0) return false;
    its.splice(at, 1);
    if (its.length === 0) this.#byNamespace.delete(namespace);
    this.#count--;
    return true;
  }

  /** Takes out the callers of a namespace. */
  take(namespace: string): readonly T[] {
    const its = this.#byNamespace.get(namespace) ?? [];
    this.#byNamespace.delete(namespace);
    this.#count -= its.length;
    return its;
  }

  /** Takes out all callers, in the order in which their namespaces came. */
  takeAll(): readonly T[] {
    const all = [...this.#byNamespace.values()].flat();
    this.#byNamespace.clear();
    this.#count = 0;
    return all;
  }
}
