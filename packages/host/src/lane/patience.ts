import { PATIENCE_MS } from '../peer/held-callers.ts';
import { LinkedQueue } from './linked-queue.ts';

/** A caller that waits. */
interface Waiting {
  readonly fd: number;
  readonly namespace: string;
  readonly untilMs: number;
  next: Waiting | undefined;
}

/**
 * Lets callers from unknown PID namespaces wait if another program starts instances. Their first request may come
 * before the daemon has noticed the start. Each caller waits once. `HeldCallers` limits how many callers wait.
 */
export class Patience {
  /** Callers wait in the order of their times. */
  readonly #queue = new LinkedQueue<Waiting>();
  readonly #untilMs = new Map<number, number>();
  on = false;

  /** Whether a caller may begin to wait, or may continue. */
  allows(fd: number, nowMs: number): boolean {
    return this.on && (this.#untilMs.get(fd) ?? Number.POSITIVE_INFINITY) > nowMs;
  }

  /** Notes that a caller waits. Its time begins with the first call. */
  begin(fd: number, namespace: string, nowMs: number): void {
    if (this.#untilMs.has(fd)) return;
    const untilMs = nowMs + PATIENCE_MS;
    this.#untilMs.set(fd, untilMs);
    this.#queue.push({ fd, namespace, untilMs, next: undefined });
  }

  /** Forgets a caller, because another connection may get its descriptor. */
  end(fd: number): void {
    this.#untilMs.delete(fd);
  }

  /** Takes out a caller whose time is over; undefined if there is none. */
  overdue(nowMs: number): Waiting | undefined {
    for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
      const isCurrent = this.#untilMs.get(first.fd) === first.untilMs;
      if (isCurrent && first.untilMs > nowMs) return undefined;
      this.#queue.shift();
      if (isCurrent) return first;
    }
    return undefined;
  }

  /** Milliseconds until the next caller has waited long enough. */
  leftMs(nowMs: number): number {
    const first = this.#queue.first;
    return first === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.ceil(first.untilMs - nowMs));
  }
}
