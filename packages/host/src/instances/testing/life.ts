/**
 * The life of one daemon in a test. When it is over, as if it was killed at this moment, nothing that it still does
 * reaches the store or the machine, and nothing answers it.
 */
export class Life {
  #over = false;
  readonly #ended = Promise.withResolvers<void>();

  get over(): boolean {
    return this.#over;
  }

  /** Settles when it is over. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  end(): void {
    this.#over = true;
    this.#ended.resolve();
  }
}

/** What the dead wait for. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}
