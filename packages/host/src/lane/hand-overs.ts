import type { Share } from '../http/slots.ts';
import type { Client } from './client.ts';
import { UNBEGUN_PER_KEY_MAX, UNBEGUN_TOTAL_MAX } from './lane-limits.ts';
import { type Linked, LinkedQueue } from './linked-queue.ts';
import type { HandedRest } from './messages.ts';

/** A connection on its way to the main server. */
export class HandOver implements Linked<HandOver> {
  readonly client: Client;
  readonly rest: HandedRest;
  next: HandOver | undefined;

  constructor(client: Client, rest: HandedRest) {
    this.client = client;
    this.rest = rest;
  }
}

/** The connections of one key. */
class Pending implements Linked<Pending> {
  readonly key: string;
  readonly line = new LinkedQueue<HandOver>();
  next: Pending | undefined;
  /** Connections that the main server was given and has not begun to serve. */
  unbegun = 0;
  /** Whether it is in the queue of keys. */
  queued = false;

  constructor(key: string) {
    this.key = key;
  }
}

/**
 * Connections that are handed over to the main server: a few of each key at a time, in turns, and further
 * ones when it has begun to serve those. So a flood of one instance waits here, and not there, where it would
 * delay all others.
 */
export class HandOvers {
  readonly #give: (handOver: HandOver) => void;
  readonly #byKey = new Map<string, Pending>();
  readonly #queue = new LinkedQueue<Pending>();
  #unbegun = 0;

  /** @param give gives a connection to the main server */
  constructor(give: (handOver: HandOver) => void) {
    this.#give = give;
  }

  add(handOver: HandOver): void {
    const { key } = handOver.client.group.accepted;
    const pending = this.#byKey.get(key) ?? new Pending(key);
    this.#byKey.set(key, pending);
    pending.line.push(handOver);
    this.#enqueue(pending);
    this.#go();
  }

  /** The main server has begun to serve a connection. */
  taken({ key }: Share): void {
    const pending = this.#byKey.get(key)!;
    pending.unbegun--;
    this.#unbegun--;
    this.#enqueue(pending);
    this.#forget(pending);
    this.#go();
  }

  /** Takes back the connections of a key that wait here. */
  takeBack(key: string): Client[] {
    const pending = this.#byKey.get(key);
    const clients: Client[] = [];
    for (let each = pending?.line.shift(); each !== undefined; each = pending?.line.shift())
      clients.push(each.client);
    if (pending !== undefined) this.#forget(pending);
    return clients;
  }

  /** Gives away all that wait, when the lane ends. */
  giveAll(): void {
    for (const { line } of this.#byKey.values())
      for (let each = line.shift(); each !== undefined; each = line.shift()) this.#give(each);
  }

  #enqueue(pending: Pending): void {
    if (pending.queued || pending.line.empty || pending.unbegun >= UNBEGUN_PER_KEY_MAX) return;
    pending.queued = true;
    this.#queue.push(pending);
  }

  #go(): void {
    while (this.#unbegun < UNBEGUN_TOTAL_MAX) {
      const pending = this.#queue.shift();
      if (pending === undefined) return;
      pending.queued = false;
      const handOver = pending.line.shift();
      if (handOver === undefined) this.#forget(pending);
      else {
        pending.unbegun++;
        this.#unbegun++;
        this.#give(handOver);
        this.#enqueue(pending);
      }
    }
  }

  #forget(pending: Pending): void {
    if (pending.unbegun === 0 && pending.line.empty && !pending.queued) this.#byKey.delete(pending.key);
  }
}
