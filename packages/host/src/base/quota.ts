/** Counts how many of something each key holds, up to a limit. */
export class Quota {
  readonly #max: number;
  readonly #held = new Map<number, number>();

  /** @param max how many one key may hold at a time */
  constructor(max: number) {
    this.#max = max;
  }

  /** Takes one; false if the key already holds the maximum. */
  take(key: number): boolean {
    const count = this.#held.get(key) ?? 0;
    if (count >= this.#max) return false;
    this.#held.set(key, count + 1);
    return true;
  }

  /** Gives one back. */
  give(key: number): void {
    const count = this.#held.get(key) ?? 0;
    if (count <= 1) this.#held.delete(key);
    else this.#held.set(key, count - 1);
  }
}
