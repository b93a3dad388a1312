/** After a run of this time, the instance counts as booted, and earlier reboots are forgotten. */
const SETTLED_MS = 30_000;
/** The wait after a second reboot in a row; each further one waits twice as long, up to the longest wait. */
const FIRST_WAIT_MS = 1_000;
/** The longest wait: instances must not cause starts, half a second of work each, without end. */
const LONGEST_WAIT_MS = 32_000;

/**
 * Delays the starts of instances that reboot again and again, right after their start. It also delays instances that
 * wait for a bridge.
 */
export class Reboots {
  /** By instance id, the number of reboots in a row that came too soon. */
  readonly #soon = new Map<number, number>();
  readonly #waiting = new Map<number, NodeJS.Timeout>();
  /** Instances whose start waits for a bridge of the host. */
  readonly #held = new Set<number>();
  #stopped = false;

  /** Counts a reboot. @param ranMs how long the run lasted @returns how long the next run must wait, in ms */
  waitMs(instanceId: number, ranMs: number): number {
    const soon = ranMs < SETTLED_MS ? (this.#soon.get(instanceId) ?? 0) + 1 : 0;
    this.#soon.set(instanceId, soon);
    return soon < 2 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (soon - 2), LONGEST_WAIT_MS);
  }

  /**
   * Makes an instance wait.
   * @param due called when the time is over; the instance still waits until {@link take}
   */
  wait(instanceId: number, ms: number, due: () => void): void {
    if (!this.#stopped) this.#waiting.set(instanceId, setTimeout(due, ms));
  }

  /** Makes an instance wait until {@link release}; a start that fails does not end this wait. */
  hold(instanceId: number): void {
    if (!this.#stopped) this.#held.add(instanceId);
  }

  waits(instanceId: number): boolean {
    return this.#waiting.has(instanceId) || this.#held.has(instanceId);
  }

  /** Ends each wait of an instance. @returns whether it waited */
  release(instanceId: number): boolean {
    const held = this.#held.delete(instanceId);
    return this.take(instanceId) || held;
  }

  /** Ends the wait after reboots. @returns whether it waited */
  take(instanceId: number): boolean {
    clearTimeout(this.#waiting.get(instanceId));
    return this.#waiting.delete(instanceId);
  }

  /** To be called when an instance is deleted. */
  forget(instanceId: number): void {
    this.release(instanceId);
    this.#soon.delete(instanceId);
  }

  /** Ends all waits, also later ones: the next daemon starts the instances. */
  stop(): void {
    this.#stopped = true;
    this.#held.clear();
    for (const instanceId of [...this.#waiting.keys()]) this.take(instanceId);
  }
}
