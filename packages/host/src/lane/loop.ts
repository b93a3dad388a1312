import { messageOf } from '../base/coded-error.ts';
import type { GuestView } from '../core/view.ts';
import { EpollSet } from '../native/epoll-set.ts';
import { clearWake } from '../native/eventfd.ts';
import { close } from '../native/libc.ts';
import { collectAtOnce, dropEmptyPages } from '../native/memory.ts';
import { Acceptor } from './acceptor.ts';
import type { Client } from './client.ts';
import { Connections } from './connections.ts';
import { OBEY_MS, SERVE_MS_MAX, WAIT_MS_MAX } from './lane-limits.ts';
import { LaneRuns } from './lane-runs.ts';
import { LinkedQueue } from './linked-queue.ts';
import { CLOSED, DONE, type LaneStart, type Order, type Report } from './messages.ts';
import { Newcomers } from './newcomers.ts';
import { Serving } from './serving.ts';
import { Turns } from './turns.ts';

/** The lane's only connection to the main thread. */
export interface Port {
  /** The next order, if there is one. */
  next(): Order | undefined;
  report(report: Report): void;
}

/**
 * The lane's thread: it waits, applies orders, accepts and serves, in turns of bounded work. Invariant: an
 * order that has been acknowledged shows in every answer that is made after it, because both happen on this
 * thread, one after the other.
 */
export class Loop {
  readonly #start: LaneStart;
  readonly #port: Port;
  readonly #epoll = new EpollSet();
  readonly #runs = new LaneRuns();
  readonly #turns = new Turns<Client>();
  readonly #connections: Connections;
  readonly #serving: Serving;
  readonly #acceptor: Acceptor;
  readonly #sweepMs: number;
  readonly #fresh = new LinkedQueue<Client>();
  /** By instance, the views of a large change that do not count yet. */
  readonly #prepared = new Map<number, GuestView>();
  #ordered = true;
  #nowMs = performance.now();
  #sweptMs = 0;
  #stopped = false;

  constructor(start: LaneStart, port: Port) {
    const { limits, owned } = start;
    this.#start = start;
    this.#port = port;
    this.#sweepMs = Math.min(WAIT_MS_MAX, limits.idleTimeoutMs / 4);
    const report = (each: Report) => port.report(each);
    const epoll = this.#epoll;
    this.#connections = new Connections({ ...start, epoll, report });
    this.#serving = new Serving(this.#connections, limits);
    const newcomers = start.findsStorms
      ? new Newcomers((found) => report({ kind: 'new-processes', found }))
      : undefined;
    const parts = { runs: this.#runs, connections: this.#connections, turns: this.#turns, newcomers };
    this.#acceptor = new Acceptor({ epoll, report, owned, ...parts });
    this.#epoll.add(start.wake);
  }

  /** Works until a `stop` order. */
  run(): void {
    while (!this.#stopped) this.turn();
    this.#runs.forgetProcesses();
    this.#epoll.close();
  }

  /** One turn; waits if there is nothing to do. */
  turn(): void {
    const busy = this.#ordered || this.#acceptor.busy || !this.#turns.none;
    const mostMs = Math.min(this.#sweepMs, this.#acceptor.leftMs(performance.now()));
    const count = this.#epoll.wait(busy || !this.#fresh.empty ? 0 : mostMs);
    this.#nowMs = performance.now();
    this.#note(count);
    this.#lookAgain(busy || count > 0);
    if (this.#ordered) this.#applyAll();
    this.#acceptor.giveUp(this.#nowMs);
    if (this.#acceptor.busy) this.#acceptor.accept(this.#nowMs);
    this.#serveSome();
    if (this.#nowMs - this.#sweptMs >= this.#sweepMs) this.#sweep();
  }

  #note(count: number): void {
    for (let index = 0; index < count; index++) {
      const fd = this.#epoll.ready(index);
      const client = this.#connections.get(fd);
      if (client !== undefined) {
        if (this.#epoll.ending(index)) client.ending = true;
        this.#turns.add(client);
      } else if (fd === this.#start.wake) this.#ordered = true;
      else this.#acceptor.note(fd);
    }
  }

  /**
   * Connections that were found at rest for the first time. While there is other work, they are looked at
   * once more after it: most connections that are used for one request are closed by then. Only the others
   * are polled.
   */
  #lookAgain(busy: boolean): void {
    for (let client = this.#fresh.shift(); client !== undefined; client = this.#fresh.shift()) {
      if (busy) this.#turns.add(client);
      else if (!client.gone) this.#poll(client);
    }
  }

  #poll(client: Client): void {
    this.#epoll.addEdge(client.fd);
    client.polled = true;
  }

  #serveSome(): void {
    const startMs = performance.now();
    for (let atMs = startMs; atMs - startMs < SERVE_MS_MAX; ) {
      const client = this.#turns.take();
      if (client === undefined) return;
      this.#serve(client, atMs);
      const doneMs = performance.now();
      this.#turns.charge(client, (doneMs - atMs) * 1000);
      atMs = doneMs;
    }
  }

  #serve(client: Client, nowMs: number): void {
    if (client.gone) return;
    if (!client.closing) client.untilMs = nowMs + this.#start.limits.idleTimeoutMs;
    try {
      const served = this.#serving.serve(client, nowMs);
      if (served === 'gone') return;
      if (served === 'goes-on' || client.ending) this.#turns.add(client);
      else if (!client.rested) this.#fresh.push(client);
      else if (!client.polled) this.#poll(client);
      client.rested = true;
    } catch (error) {
      // An internal error: it is reported, and ends only this connection.
      this.#port.report({ kind: 'fault', error: messageOf(error), caller: client.group.caller });
      if (!client.gone) this.#connections.close(client);
    }
  }

  #setViews(views: Iterable<GuestView>): void {
    for (const view of views) {
      const namespace = this.#runs.setView(view);
      if (namespace !== null) this.#acceptor.began(namespace);
    }
  }

  #sweep(): void {
    this.#sweptMs = this.#nowMs;
    this.#connections.closeIdle(this.#nowMs);
    this.#acceptor.sweep(this.#nowMs);
    this.#runs.sweep();
  }

  #applyAll(): void {
    clearWake(this.#start.wake);
    const { shared } = this.#start;
    const untilMs = performance.now() + OBEY_MS;
    let order = this.#port.next();
    for (; order !== undefined; order = performance.now() < untilMs ? this.#port.next() : undefined) {
      (this.#apply[order.kind] as (order: Order) => void)(order);
      Atomics.add(shared, DONE, 1);
    }
    // If the time limit ended the loop, there may be more orders.
    this.#ordered = performance.now() >= untilMs;
    Atomics.notify(shared, DONE);
  }

  /** The effect of each kind of order. */
  readonly #apply: { readonly [K in Order['kind']]: (order: Extract<Order, { kind: K }>) => void } = {
    run: ({ facts, view }) => {
      this.#runs.add(facts, view);
      if (view !== undefined) this.#acceptor.began(facts.namespace);
    },
    over: ({ instanceId }) => this.#runs.end(instanceId),
    views: ({ views }) => this.#setViews(views),
    prepare: ({ views }) => {
      for (const view of views) this.#prepared.set(view.instanceId, view);
    },
    swap: ({ views }) => {
      for (const view of views) this.#prepared.set(view.instanceId, view);
      this.#setViews(this.#prepared.values());
      this.#prepared.clear();
    },
    forget: () => this.#prepared.clear(),
    free: ({ what }) => (what === 'garbage' ? collectAtOnce() : dropEmptyPages()),
    'close-instance': ({ instanceId }) => {
      this.#start.shared[CLOSED] = this.#connections.closeInstance(instanceId);
    },
    serve: ({ listening }) => this.#acceptor.listen(listening),
    starting: ({ on }) => this.#acceptor.starting(on),
    patient: ({ on }) => this.#acceptor.patient(on),
    'take-over': ({ connections }) => this.#acceptor.takeOver(connections),
    taken: ({ share }) => this.#connections.taken(share),
    release: ({ share }) => this.#connections.release(share),
    stop: ({ acceptWaiting, leave }) => {
      const held = this.#acceptor.stop(acceptWaiting, this.#nowMs);
      if (leave) this.#port.report({ kind: 'kept', connections: held });
      else for (const fd of held) close(fd);
      for (const fd of held) this.#start.owned[fd] = 0;
      for (const client of this.#connections.all()) this.#serving.end(client, leave);
      this.#connections.handOverAll();
      this.#stopped = true;
    },
  };
}
