/**
 * The life of one daemon in a test. When it is over, the daemon is as if killed: its work no longer reaches
 * the store or the machine, and its calls are not answered.
 */
export class Life {
  #over = false;
  readonly #ended = Promise.withResolvers<void>();

  get over(): boolean {
    return this.#over;
  }

  /** Resolves when it is over. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  end(): void {
    this.#over = true;
    this.#ended.resolve();
  }
}

/** A promise that never settles, for calls of a dead daemon. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}
