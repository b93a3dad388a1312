/** Half of what the server holds in all: whoever knocks in a loop leaves the other half to others. */
const HELD_PER_USER_MAX = 512;

/**
 * Callers that wait until it is known whether they belong to an instance that is being started. Everybody on the
 * host can connect, so of one user only so many wait; nobody can be another user than he is.
 */
export class HeldCallers {
  readonly #held = new Map<number, number>();

  /** Waits for a caller's answer; null when too many of this user do already. */
  hold<T>(uid: number, wait: () => Promise<T>): Promise<T> | null {
    const before = this.#held.get(uid) ?? 0;
    if (before >= HELD_PER_USER_MAX) return null;
    this.#held.set(uid, before + 1);
    return wait().finally(() => this.#release(uid));
  }

  #release(uid: number): void {
    const left = (this.#held.get(uid) ?? 0) - 1;
    if (left > 0) this.#held.set(uid, left);
    else this.#held.delete(uid);
  }
}
