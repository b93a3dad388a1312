import { type Limits, SURE_PER_KEY, scarceFrom } from '../http/connection-limits.ts';
import { failureAnswer } from '../http/http-errors.ts';
import { type Share, Slots } from '../http/slots.ts';
import type { EpollSet } from '../native/epoll-set.ts';
import { close } from '../native/libc.ts';
import { endOutput, receive, transmit } from '../native/sockets.ts';
import type { CallerGroup } from './caller-group.ts';
import { Client } from './client.ts';
import { HandOver, HandOvers } from './hand-overs.ts';
import { READ_BYTES } from './lane-limits.ts';
import { DONE, type HandedRest, type LaneStart, OPEN, type Report } from './messages.ts';

const NOTHING = Buffer.alloc(0);
const NOTHING_LEFT: HandedRest = { unread: NOTHING, unsent: NOTHING, last: false };
const REFUSAL = Buffer.from(failureAnswer('too-many-connections'));
const dropped = Buffer.alloc(READ_BYTES);

/** The other parts of a lane that its connections use. */
export interface Surroundings extends Pick<LaneStart, 'limits' | 'shared' | 'owned' | 'openFilesMax'> {
  readonly epoll: EpollSet;
  readonly report: (report: Report) => void;
}

/** The connections of the lane, from being admitted to being closed or handed over. */
export class Connections {
  readonly #around: Surroundings;
  readonly #limits: Limits;
  /** By descriptor. The numbers are small: the kernel gives out the smallest free one. */
  readonly #byFd: (Client | undefined)[] = [];
  #count = 0;
  readonly #slots: Slots;
  readonly #handOvers = new HandOvers((each) => this.#give(each));
  readonly #scarceFrom: number;

  constructor(around: Surroundings) {
    const { limits } = around;
    this.#around = around;
    this.#limits = limits;
    this.#slots = new Slots(limits.connectionsPerKey, limits.connectionsTotal);
    this.#scarceFrom = scarceFrom(around.openFilesMax);
  }

  get(fd: number): Client | undefined {
    return this.#byFd[fd];
  }

  /** Whether a new descriptor with this number means that few are left. */
  isScarce(fd: number): boolean {
    return fd >= this.#scarceFrom;
  }

  /**
   * Admits a connection if its group has a place; otherwise refuses it, if that is worth it, and closes it.
   */
  admit(fd: number, group: CallerGroup, nowMs: number): Client | undefined {
    const admission = this.#slots.admit(group.accepted, this.isScarce(fd));
    if (admission === 'dropped') {
      this.#drop(fd, group);
      return undefined;
    }
    const client = new Client(fd, group, nowMs + this.#limits.idleTimeoutMs, admission);
    // Without holes the engine keeps it as an array.
    while (this.#byFd.length <= fd) this.#byFd.push(undefined);
    this.#byFd[fd] = client;
    this.#around.owned[fd] = 1;
    this.#around.shared[OPEN] = ++this.#count;
    if (admission === 'refused') {
      transmit(fd, REFUSAL, REFUSAL.length);
      this.linger(client, nowMs);
    }
    return client;
  }

  /** The main server has begun to serve a connection that was handed over. */
  taken(share: Share): void {
    this.#handOvers.taken(share);
  }

  /** Gives back the slot of a connection that was handed over. */
  release(share: Share): void {
    this.#slots.release(share);
  }

  /** Hands a connection over to the main server, which later gives its slot back; closes unknown callers. */
  handOver(client: Client, rest: Partial<HandedRest>): void {
    if (client.group.isUnknown) {
      this.close(client);
      return;
    }
    if (client.polled) this.#around.epoll.remove(client.fd);
    client.gone = true;
    this.#byFd[client.fd] = undefined;
    this.#handOvers.add(new HandOver(client, { ...NOTHING_LEFT, ...rest }));
  }

  /** Hands over all that wait for it, when the lane ends. */
  handOverAll(): void {
    this.#handOvers.giveAll();
  }

  /** After the last answer: drops what comes, until the client hangs up or its time is over. */
  linger(client: Client, nowMs: number): void {
    endOutput(client.fd);
    client.closing = true;
    client.untilMs = nowMs + this.#limits.lingerTimeoutMs;
  }

  close(client: Client): void {
    // Closing is not enough if another process, such as a child before its exec, has the file open too.
    if (client.polled) this.#around.epoll.remove(client.fd);
    client.gone = true;
    this.#byFd[client.fd] = undefined;
    this.#end(client);
  }

  /** Ends all connections of an instance; returns how many. */
  closeInstance(instanceId: number): number {
    const its = this.all().filter(({ group }) => group.instanceId === instanceId);
    for (const client of its) this.close(client);
    const pending = this.#handOvers.takeBack(`instance ${instanceId}`);
    for (const client of pending) this.#end(client);
    return its.length + pending.length;
  }

  /** Ends connections that have been silent for too long, or have got their last answer. */
  closeIdle(nowMs: number): void {
    if (this.#count === 0) return;
    for (const client of this.#byFd) {
      if (client === undefined) continue;
      if (client.untilMs <= nowMs && (!client.waits || client.closing)) this.close(client);
    }
  }

  /**
   * For when no descriptors are left: closes the connections at rest of the key that has most, except the
   * guaranteed ones. Returns how many.
   */
  closeOfLargest(): number {
    const byKey = Map.groupBy(this.all(), ({ group }) => group.accepted.key);
    const largest = [...byKey.values()].reduce((most, its) => (its.length > most.length ? its : most), []);
    const resting = largest.slice(SURE_PER_KEY).filter((client) => !client.waits);
    for (const client of resting) this.close(client);
    return resting.length;
  }

  /** All connections. */
  all(): Client[] {
    return this.#byFd.filter((client) => client !== undefined);
  }

  #give({ client, rest }: HandOver): void {
    this.#forget(client);
    const applied = Atomics.load(this.#around.shared, DONE);
    const { caller } = client.group;
    this.#around.report({ kind: 'handed-over', fd: client.fd, caller, applied, ...rest });
  }

  #end(client: Client): void {
    close(client.fd);
    this.#forget(client);
    this.#slots.release(client.group.accepted, client.admission);
  }

  #forget(client: Client): void {
    this.#around.owned[client.fd] = 0;
    this.#around.shared[OPEN] = --this.#count;
  }

  #drop(fd: number, group: CallerGroup): void {
    this.#around.owned[fd] = 0;
    if (!group.isUnknown) {
      transmit(fd, REFUSAL, REFUSAL.length);
      // With unread bytes, the client would get a reset instead of the refusal.
      receive(fd, dropped);
    }
    close(fd);
  }
}
