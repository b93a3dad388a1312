import type { Log } from '../base/log.ts';

const FIRST_WAIT_MS = 1_000;
/** A disk that was full for hours: that it no longer is shows within this. */
const LONGEST_WAIT_MS = 60_000;

interface Waiting {
  readonly waitMs: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Ends of runs that could not be stored, on a full disk perhaps: each is tried again, at longer and longer intervals,
 * until it is stored or something else has become of its instance. One for each instance.
 */
export class Unsettled {
  readonly #waiting = new Map<number, Waiting>();
  readonly #log: Log;
  #stopped = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Tries again later. @param again calls this again when it fails for the same reason */
  later(instanceId: number, again: () => Promise<void>): void {
    if (this.#stopped) return;
    const before = this.#waiting.get(instanceId);
    clearTimeout(before?.timer);
    const waitMs = before ? Math.min(before.waitMs * 2, LONGEST_WAIT_MS) : FIRST_WAIT_MS;
    const tryAgain = () => {
      again().then(
        () => this.forget(instanceId),
        (error) =>
          this.#log.warn({ err: error, instance: instanceId }, 'the end of an instance is not settled'),
      );
    };
    this.#waiting.set(instanceId, { waitMs, timer: setTimeout(tryAgain, waitMs) });
  }

  /** Its end is stored, or something else has become of the instance. */
  forget(instanceId: number): void {
    clearTimeout(this.#waiting.get(instanceId)?.timer);
    this.#waiting.delete(instanceId);
  }

  /** The next daemon finds out by itself. */
  stop(): void {
    this.#stopped = true;
    for (const instanceId of [...this.#waiting.keys()]) this.forget(instanceId);
  }
}
