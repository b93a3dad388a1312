import type { Log } from '../base/log.ts';

const FIRST_WAIT_MS = 1_000;
/** The longest time between tries: so an end is stored at most a minute after a full disk has room again. */
const LONGEST_WAIT_MS = 60_000;

interface Waiting {
  readonly waitMs: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Ends of runs that could not be stored, e.g. on a full disk; at most one for each instance. Each is tried
 * again, at longer and longer intervals, until it is stored, or the instance is started or deleted.
 */
export class Unsettled {
  readonly #waiting = new Map<number, Waiting>();
  readonly #log: Log;
  #stopped = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Tries again later. @param again the work; it calls `later` again if it fails for the same reason */
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

  /** Ends the tries for an instance: its end is stored, or the instance is started or deleted. */
  forget(instanceId: number): void {
    clearTimeout(this.#waiting.get(instanceId)?.timer);
    this.#waiting.delete(instanceId);
  }

  /** Ends all tries, and accepts no more: the next daemon finds out by itself that the runs have ended. */
  stop(): void {
    this.#stopped = true;
    for (const instanceId of [...this.#waiting.keys()]) this.forget(instanceId);
  }
}
