import { within } from '../base/within.ts';

/**
 * The first moments of a daemon that is a member: it has no lease yet, or does not follow yet. Changes wait for both, so
 * that operators do not notice a restart; they do not wait long, because etcd may be away.
 */
export class Beginning {
  readonly #lease = Promise.withResolvers<void>();
  readonly #following = Promise.withResolvers<void>();
  #waiting: Promise<void> | null;

  /** @param maxMs how long changes wait at most, from now on */
  constructor(maxMs: number) {
    const both = Promise.all([this.#lease.promise, this.#following.promise]).then(() => {});
    this.#waiting = within(maxMs, both).then(() => {
      this.#waiting = null;
    });
  }

  /** Call it when the member has its lease. */
  hasLease(): void {
    this.#lease.resolve();
  }

  /** Call it when the member follows the fleet. */
  follows(): void {
    this.#following.resolve();
  }

  /** Resolves when changes need not wait any more; null if that is so already. */
  get over(): Promise<void> | null {
    return this.#waiting;
  }
}
