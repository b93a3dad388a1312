/**
 * Limits how often each instance may do something: `burst` times at once, then once in `intervalMs`. It keeps
 * one number per instance, the time at which its allowance is full again, and forgets the instance at that
 * time.
 */
export class RateLimit {
  readonly #burst: number;
  readonly #intervalMs: number;
  readonly #wholeAt = new Map<number, number>();

  constructor(burst: number, intervalMs: number) {
    this.#burst = burst;
    this.#intervalMs = intervalMs;
  }

  /**
   * Takes one from the allowance; false if the instance has to wait.
   * @param nowMs monotonic
   * @param weight how many it takes; never more than a whole burst
   */
  take(instanceId: number, nowMs: number, weight = 1): boolean {
    this.#forget(nowMs);
    const takenMs = Math.min(weight, this.#burst) * this.#intervalMs;
    const wholeAt = Math.max(this.#wholeAt.get(instanceId) ?? 0, nowMs) + takenMs;
    if (wholeAt - nowMs > this.#burst * this.#intervalMs) return false;
    // Deleted first, so that the map stays in order of the last take.
    this.#wholeAt.delete(instanceId);
    this.#wholeAt.set(instanceId, wholeAt);
    return true;
  }

  /** Number of instances that are remembered. */
  get size(): number {
    return this.#wholeAt.size;
  }

  #forget(nowMs: number): void {
    for (const [instanceId, wholeAt] of this.#wholeAt) {
      if (wholeAt > nowMs) return;
      this.#wholeAt.delete(instanceId);
    }
  }
}
