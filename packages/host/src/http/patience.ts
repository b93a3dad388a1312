import type { Socket } from 'node:net';
import { unsentBytes } from '../base/sockets.ts';
import type { Limits } from './connection-limits.ts';

/** How long the server waits for one client. It has no timer: a sweep asks `overdue`. */
export class Patience {
  readonly #socket: Socket;
  readonly #limits: Limits;
  #deadline = Number.POSITIVE_INFINITY;
  /** Bytes that the client had not taken at the last look. */
  #untaken = 0;

  constructor(socket: Socket, limits: Limits) {
    this.#socket = socket;
    this.#limits = limits;
  }

  /** Sets a new deadline, `ms` from now. */
  wait(ms: number, nowMs: number): void {
    this.#deadline = nowMs + ms;
  }

  /** Shortens the wait to `ms` at most. */
  waitAtMost(ms: number, nowMs: number): void {
    this.#deadline = Math.min(this.#deadline, nowMs + ms);
  }

  /**
   * Tells what has taken too long: `stalled` if the client does not take its answer, `late` for anything
   * else.
   * @param lingers the last answer has been written, and the client should hang up
   */
  overdue(nowMs: number, lingers: boolean): 'stalled' | 'late' | undefined {
    const untaken = unsentBytes(this.#socket);
    const changed = untaken !== this.#untaken;
    this.#untaken = untaken;
    if (changed)
      this.wait(this.#limits[lingers && untaken === 0 ? 'lingerTimeoutMs' : 'stallTimeoutMs'], nowMs);
    if (nowMs < this.#deadline) return undefined;
    return untaken > 0 ? 'stalled' : 'late';
  }
}
