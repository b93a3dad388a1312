import type { Socket } from 'node:net';
import { unsentBytes } from '../base/sockets.ts';
import type { Limits } from './connection-limits.ts';

/**
 * How long one client is waited for. There is no timer here: who sweeps asks what is overdue.
 */
export class Patience {
  private readonly socket: Socket;
  private readonly limits: Limits;
  private deadline = Number.POSITIVE_INFINITY;
  /** Bytes the client had still to take when it was last looked at. */
  private untaken = 0;

  constructor(socket: Socket, limits: Limits) {
    this.socket = socket;
    this.limits = limits;
  }

  /** From now on so long. */
  wait(ms: number, nowMs: number): void {
    this.deadline = nowMs + ms;
  }

  /** No longer than this, whatever was granted before. */
  waitAtMost(ms: number, nowMs: number): void {
    this.deadline = Math.min(this.deadline, nowMs + ms);
  }

  /**
   * What has taken too long: to take an answer (`stalled`), or whatever else is waited for (`late`).
   * @param lingers the last answer has been given, and the client is to hang up
   */
  overdue(nowMs: number, lingers: boolean): 'stalled' | 'late' | undefined {
    const untaken = unsentBytes(this.socket);
    const changed = untaken !== this.untaken;
    this.untaken = untaken;
    if (changed)
      this.wait(this.limits[lingers && untaken === 0 ? 'lingerTimeoutMs' : 'stallTimeoutMs'], nowMs);
    if (nowMs < this.deadline) return undefined;
    return untaken > 0 ? 'stalled' : 'late';
  }
}
