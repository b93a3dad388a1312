/** Work that is asked for again and again: it never overlaps, and is done once more if it is asked for meanwhile. */
export class RepeatedWork {
  readonly #work: () => Promise<void>;
  #running: Promise<void> | undefined;
  #again = false;
  #ended = false;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Asks for the work. @returns settles when it is done; fails if it fails */
  run(): Promise<void> {
    if (this.#ended) return this.#running ?? Promise.resolve();
    this.#again = true;
    this.#running ??= this.#runAll();
    return this.#running;
  }

  /** Begins no further work. @returns settles when the work that is under way has ended; never fails */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#running?.catch(() => {});
  }

  async #runAll(): Promise<void> {
    try {
      while (this.#again && !this.#ended) {
        this.#again = false;
        await this.#work();
      }
    } finally {
      // At once: who asks from now on is not told of this work, which is over.
      this.#running = undefined;
    }
  }
}
