import type { EpollSet } from '../native/epoll-set.ts';
import { close } from '../native/libc.ts';
import { HangUps } from '../native/poll.ts';
import { acceptNext, BROKEN, isAtEnd } from '../native/sockets.ts';
import { HeldCallers } from '../peer/held-callers.ts';
import { CallerGroup } from './caller-group.ts';
import type { Client } from './client.ts';
import type { Connections } from './connections.ts';
import { ACCEPT_BATCH, ACCEPT_MS_MAX, ACCEPT_REST_MS } from './lane-limits.ts';
import type { Found, LaneRuns } from './lane-runs.ts';
import type { Report } from './messages.ts';
import type { Newcomers } from './newcomers.ts';
import { Patience } from './patience.ts';
import { QueueDepth } from './queue-depth.ts';
import type { Turns } from './turns.ts';
import { UnknownCallers } from './unknown-callers.ts';

/** The parts of the lane that an acceptor uses. */
export interface AcceptorParts {
  readonly epoll: EpollSet;
  readonly runs: LaneRuns;
  readonly connections: Connections;
  readonly turns: Turns<Client>;
  /** Undefined if fork storms are not looked for. */
  readonly newcomers: Newcomers | undefined;
  readonly owned: Uint8Array;
  readonly report: (report: Report) => void;
}

/** Accepts connections, finds out their callers, and puts them in line. */
export class Acceptor {
  readonly #parts: AcceptorParts;
  readonly #unknownCallers = new UnknownCallers();
  readonly #held = new HeldCallers<number>();
  readonly #patience = new Patience();
  readonly #hangUps = new HangUps(ACCEPT_BATCH);
  /** Accepted connections that are to be identified: left by the previous server, or held until now. */
  #older: number[] = [];
  #starting = false;
  #listening = -1;
  #depth: QueueDepth | undefined;
  /** Whether connections may wait to be accepted. */
  #waited = false;
  /** Accepting pauses until this time; 0 if it does not. */
  #againMs = 0;

  constructor(parts: AcceptorParts) {
    this.#parts = parts;
  }

  get busy(): boolean {
    return this.#waited || this.#older.length > 0;
  }

  listen(fd: number): void {
    this.#listening = fd;
    this.#depth = new QueueDepth(fd);
    this.#parts.epoll.add(fd);
  }

  /** Takes note of a readable descriptor; false if it is not the listening socket. */
  note(fd: number): boolean {
    if (fd !== this.#listening) return false;
    this.#waited = true;
    return true;
  }

  /** Accepts waiting connections, for a limited time. */
  accept(nowMs: number): void {
    for (const fd of this.#older.splice(0, ACCEPT_BATCH))
      this.#welcome(fd, this.#parts.runs.identifyLater(fd), nowMs);
    const untilMs = performance.now() + ACCEPT_MS_MAX;
    while (this.#waited && performance.now() < untilMs) this.#acceptBatch(nowMs, untilMs);
  }

  /** Whether instances are being started: callers that may belong to one are held until that is known. */
  starting(on: boolean): void {
    this.#starting = on;
    if (!on) this.takeOver(this.#held.takeAll());
  }

  /** Whether another program starts instances: callers of unknown namespaces are held for a moment. */
  patient(on: boolean): void {
    this.#patience.on = on;
    if (!on && !this.#starting) this.takeOver(this.#held.takeAll());
  }

  /** Milliseconds until a caller has been held long enough. */
  leftMs(nowMs: number): number {
    return this.#patience.leftMs(nowMs);
  }

  /** Takes callers that were held long enough as what they are; those of a start are held until it is over. */
  giveUp(nowMs: number): void {
    for (let next = this.#patience.overdue(nowMs); next !== undefined; next = this.#patience.overdue(nowMs)) {
      if (!this.#starting && this.#held.remove(next.namespace, next.fd)) this.#older.push(next.fd);
    }
  }

  /** The run of a namespace has begun: its callers no longer wait. */
  began(namespace: string): void {
    this.takeOver(this.#held.take(namespace));
  }

  /** Takes connections that were accepted earlier than those that wait at the listening socket. */
  takeOver(connections: readonly number[]): void {
    for (const fd of connections) this.#older.push(fd);
  }

  /** Ends a pause, and makes the queue deep again after a flood. */
  sweep(nowMs: number): void {
    this.#depth?.sweep(nowMs);
    if (this.#againMs === 0 || nowMs < this.#againMs) return;
    this.#againMs = 0;
    this.#parts.epoll.add(this.#listening);
  }

  /**
   * Stops accepting, after the waiting connections if `acceptWaiting`.
   * @returns the connections whose caller is not known yet
   */
  stop(acceptWaiting: boolean, nowMs: number): readonly number[] {
    if (this.#listening >= 0) this.#parts.epoll.remove(this.#listening);
    this.#depth?.end();
    this.#depth = undefined;
    this.#waited = acceptWaiting && this.#listening >= 0;
    while (this.busy) this.accept(nowMs);
    this.#listening = -1;
    return this.#held.takeAll();
  }

  /**
   * Accepts at least one connection, and stops when the time is over: each accept wakes a client, which may
   * take the processor from this thread.
   */
  #acceptBatch(nowMs: number, untilMs: number): void {
    const { runs, newcomers } = this.#parts;
    const accepted: number[] = [];
    let fd = 0;
    do {
      fd = acceptNext(this.#listening);
      if (fd >= 0) accepted.push(fd);
    } while (fd >= 0 && accepted.length < ACCEPT_BATCH && performance.now() < untilMs);
    this.#waited = fd >= 0;
    newcomers?.look(accepted);
    if (this.#waited) this.#hangUps.look(accepted);
    const hungUp = new Set(this.#waited ? accepted.filter((_, index) => this.#hangUps.has(index)) : []);
    const there = accepted.filter((each) => !hungUp.has(each) || hasMore(each));
    const before = runs.strangers;
    const found = runs.identify(there);
    newcomers?.count(accepted.length, accepted.length - there.length + runs.strangers - before, nowMs);
    let welcome = 0;
    for (const [index, each] of there.entries()) {
      const place = found[index]!;
      if (hungUp.has(each) && this.#isIdle(place)) close(each);
      else if (this.#welcome(each, place, nowMs) && !hungUp.has(each)) welcome++;
    }
    if (this.#waited) this.#depth?.note(accepted.length, accepted.length - welcome, nowMs);
    if (fd === BROKEN) this.#rest(nowMs);
  }

  /**
   * Whether a request can be skipped when its client has hung up: a caller in no instance changes nothing.
   */
  #isIdle(found: Found): boolean {
    return !(found instanceof CallerGroup) && !this.#starting && !this.#patience.on;
  }

  /** Admits or holds a connection; returns whether it was worth accepting. */
  #welcome(fd: number, found: Found, nowMs: number): boolean {
    const { connections, turns } = this.#parts;
    if (!(found instanceof CallerGroup) && this.#hold(fd, found.outermost, nowMs)) return true;
    this.#patience.end(fd);
    const group = found instanceof CallerGroup ? found : this.#unknownCallers.group(found.uid);
    const client = connections.admit(fd, group, nowMs);
    // Most clients have sent their request by now.
    if (client !== undefined) turns.add(client);
    return client?.admission === 'admitted' && !group.isUnknown;
  }

  #hold(fd: number, outermost: string | null, nowMs: number): boolean {
    const { connections, owned } = this.#parts;
    if (outermost === null || connections.isScarce(fd)) return false;
    if (!this.#starting && !this.#patience.allows(fd, nowMs)) return false;
    if (!this.#held.hold(outermost, fd)) return false;
    if (this.#patience.on) this.#patience.begin(fd, outermost, nowMs);
    owned[fd] = 1;
    return true;
  }

  /** No descriptors are left: stops accepting for a while, so as not to spin. Clients stay in the queue. */
  #rest(nowMs: number): void {
    // Known processes only save time, and their descriptors are needed now.
    this.#parts.runs.forgetProcesses();
    this.#parts.report({ kind: 'accept-failed' });
    if (this.#parts.connections.closeOfLargest() > 0) return;
    this.#parts.epoll.remove(this.#listening);
    this.#againMs = nowMs + ACCEPT_REST_MS;
  }
}

/**
 * When many wait, a client that has hung up without a request costs only its accept: it is closed, and this
 * is false.
 */
function hasMore(fd: number): boolean {
  if (!isAtEnd(fd)) return true;
  close(fd);
  return false;
}
