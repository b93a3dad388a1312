import type { EpollSet } from '../native/epoll-set.ts';
import { acceptNext, BROKEN } from '../native/sockets.ts';
import type { Connections } from './connections.ts';
import type { Group } from './group.ts';
import { ACCEPT_REST_MS, ACCEPTS_PER_TURN_MAX } from './limits.ts';
import type { Report } from './messages.ts';
import type { Runs } from './runs.ts';
import type { Turns } from './turns.ts';

/** What an acceptor works with. */
export interface AcceptorParts {
  readonly epoll: EpollSet;
  readonly runs: Runs;
  readonly connections: Connections;
  readonly turns: Turns;
  readonly report: (report: Report) => void;
}

/** Accepts connections, finds out whose they are, and puts them in line. */
export class Acceptor {
  readonly #parts: AcceptorParts;
  #listening = -1;
  /** Somebody may wait to be accepted. */
  #waited = false;
  /** Resting until then. */
  #againMs = 0;

  constructor(parts: AcceptorParts) {
    this.#parts = parts;
  }

  get busy(): boolean {
    return this.#waited;
  }

  listen(fd: number): void {
    this.#listening = fd;
    this.#parts.epoll.add(fd);
  }

  /** Takes note of a readable descriptor; false if it is not the listening socket. */
  note(fd: number): boolean {
    if (fd !== this.#listening) return false;
    this.#waited = true;
    return true;
  }

  /** Accepts some of those who wait. */
  accept(nowMs: number): void {
    const accepted: number[] = [];
    let fd = 0;
    while (accepted.length < ACCEPTS_PER_TURN_MAX && fd >= 0) {
      fd = acceptNext(this.#listening);
      if (fd >= 0) accepted.push(fd);
    }
    this.#waited = fd >= 0;
    const groups = this.#parts.runs.identify(accepted);
    for (const [index, each] of accepted.entries()) this.welcome(each, groups[index], nowMs);
    if (fd === BROKEN) this.#rest(nowMs);
  }

  /** A connection of a group, or of nobody known. */
  welcome(fd: number, group: Group | undefined, nowMs: number): void {
    const { connections, turns } = this.#parts;
    if (group === undefined) {
      connections.handOverUnknown(fd);
      return;
    }
    const client = connections.admit(fd, group, nowMs);
    // Most clients have sent their request by now.
    if (client !== undefined) turns.add(client);
  }

  /** Goes on after a rest. */
  sweep(nowMs: number): void {
    if (this.#againMs === 0 || nowMs < this.#againMs) return;
    this.#againMs = 0;
    this.#parts.epoll.add(this.#listening);
  }

  /** Accepts no more, apart from those who wait if they are ours. */
  stop(acceptWaiting: boolean, nowMs: number): void {
    if (this.#listening < 0) return;
    this.#parts.epoll.remove(this.#listening);
    this.#waited = acceptWaiting;
    while (this.#waited) this.accept(nowMs);
    this.#listening = -1;
  }

  /** Out of descriptors: those who wait go on waiting, and the thread does not spin. */
  #rest(nowMs: number): void {
    this.#parts.epoll.remove(this.#listening);
    this.#againMs = nowMs + ACCEPT_REST_MS;
    // Convenience, whose descriptors are needed now.
    this.#parts.runs.forgetProcesses();
    this.#parts.report({ kind: 'accept-failed' });
  }
}
