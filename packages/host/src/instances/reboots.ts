/** An instance that has run for so long has booted: whatever it did before is forgotten. */
const SETTLED_MS = 30_000;
/** A second reboot in a row waits this long, each further one twice as long as the one before ... */
const FIRST_WAIT_MS = 1_000;
/** ... up to this: a start costs the host half a second of work, and an instance must not cause it without end. */
const LONGEST_WAIT_MS = 32_000;

/** Instances that reboot themselves: those that do so again and again, as soon as they run, have to wait. */
export class Reboots {
  /** How many reboots in a row came too soon. */
  readonly #soon = new Map<number, number>();
  readonly #waiting = new Map<number, NodeJS.Timeout>();
  #stopped = false;

  /** Takes note of a reboot. @param ranMs how long the run lasted @returns how long the next one has to wait */
  waitMs(instanceId: number, ranMs: number): number {
    const soon = ranMs < SETTLED_MS ? (this.#soon.get(instanceId) ?? 0) + 1 : 0;
    this.#soon.set(instanceId, soon);
    return soon < 2 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (soon - 2), LONGEST_WAIT_MS);
  }

  /** Has an instance wait for its start. @param due told when the time is over; it still waits until {@link take} */
  wait(instanceId: number, ms: number, due: () => void): void {
    if (!this.#stopped) this.#waiting.set(instanceId, setTimeout(due, ms));
  }

  /** Whether an instance waits. */
  waits(instanceId: number): boolean {
    return this.#waiting.has(instanceId);
  }

  /** It waits no longer. @returns whether it did */
  take(instanceId: number): boolean {
    clearTimeout(this.#waiting.get(instanceId));
    return this.#waiting.delete(instanceId);
  }

  /** An instance is no more. */
  forget(instanceId: number): void {
    this.take(instanceId);
    this.#soon.delete(instanceId);
  }

  /** Nobody waits any more: the next daemon starts them. */
  stop(): void {
    this.#stopped = true;
    for (const instanceId of [...this.#waiting.keys()]) this.take(instanceId);
  }
}
