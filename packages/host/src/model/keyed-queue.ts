/**
 * One queue for each key: for each instance by its id, for each image by its fingerprint. Invariants:
 * - work under one key never overlaps; work under different keys never waits for each other;
 * - work never queues other work under its own key and waits for it: it would wait for itself;
 * - a failure affects only the work that fails.
 */
export class KeyedQueue<K> {
  readonly #tails = new Map<K, Promise<unknown>>();
  readonly #labels = new Map<K, string[]>();
  /** Work under many keys. */
  readonly #many = new Set<{ readonly keys: ReadonlySet<K>; readonly label: string }>();

  /** Queues work under a key. @param label a word for messages about this work, such as `stop` */
  run<T>(key: K, label: string, work: () => Promise<T> | T): Promise<T> {
    this.#enter(key, label);
    const before = this.#tails.get(key) ?? Promise.resolve();
    const mine = before.then(work).finally(() => this.#leave(key, label));
    const tail = mine.catch(() => {});
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    return mine;
  }

  /**
   * Queues work under many keys at once. It first waits for the work that goes on under these keys, and blocks none of
   * them meanwhile; then it takes all keys in one step, so that two of these never wait for each other.
   */
  async runAll<T>(keys: ReadonlySet<K>, label: string, work: () => Promise<T>): Promise<T> {
    const mine = { keys, label };
    this.#many.add(mine);
    try {
      await this.#over(keys);
      const before = this.#over(keys);
      const over = Promise.withResolvers<void>();
      for (const key of keys) this.#tails.set(key, over.promise);
      try {
        await before;
        return await work();
      } finally {
        over.resolve();
        for (const key of keys) if (this.#tails.get(key) === over.promise) this.#tails.delete(key);
      }
    } finally {
      this.#many.delete(mine);
    }
  }

  /** Settles when the work that is now under some keys has ended. */
  async #over(keys: ReadonlySet<K>): Promise<void> {
    const tails = new Set<Promise<unknown>>();
    for (const key of keys) {
      const tail = this.#tails.get(key);
      if (tail) tails.add(tail);
    }
    await Promise.all(tails);
  }

  /** Runs work outside the queue: its label is listed, but other work does not wait for it. */
  async beside<T>(key: K, label: string, work: () => Promise<T>): Promise<T> {
    this.#enter(key, label);
    try {
      return await work();
    } finally {
      this.#leave(key, label);
    }
  }

  /** The labels of the work that runs or waits under a key: oldest first, then those of work under many keys. */
  labels(key: K): readonly string[] {
    const own = this.#labels.get(key) ?? [];
    if (this.#many.size === 0) return own;
    return [...own, ...[...this.#many].filter(({ keys }) => keys.has(key)).map(({ label }) => label)];
  }

  #enter(key: K, label: string): void {
    const labels = this.#labels.get(key) ?? [];
    labels.push(label);
    this.#labels.set(key, labels);
  }

  #leave(key: K, label: string): void {
    const labels = this.#labels.get(key) ?? [];
    labels.splice(labels.indexOf(label), 1);
    if (labels.length === 0) this.#labels.delete(key);
  }
}
