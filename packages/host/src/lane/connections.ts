import { failureAnswer } from '../http/errors.ts';
import type { Limits } from '../http/limits.ts';
import { type Admission, Slots } from '../http/slots.ts';
import type { EpollSet } from '../native/epoll-set.ts';
import { close } from '../native/libc.ts';
import { receive, transmit } from '../native/sockets.ts';
import { Client } from './client.ts';
import type { Group } from './group.ts';
import { READ_BYTES } from './limits.ts';
import { DONE, type HandedReport, type HandedRest, OPEN, type Report } from './messages.ts';

const NOTHING = Buffer.alloc(0);
const NOTHING_LEFT = {
  kind: 'handed-over',
  admission: 'admitted',
  unread: NOTHING,
  unsent: NOTHING,
  last: false,
} as const;
const REFUSAL = Buffer.from(failureAnswer('too-many-connections'));
const dropped = Buffer.alloc(READ_BYTES);

/** What the connections of a lane need around them. */
export interface Surroundings {
  readonly epoll: EpollSet;
  readonly limits: Limits;
  /** As of {@link LaneStart}. */
  readonly shared: Int32Array;
  readonly owned: Uint8Array;
  readonly report: (report: Report) => void;
}

/** The connections that the lane has, from being let in to being closed or handed over. */
export class Connections {
  readonly #around: Surroundings;
  /** By descriptor: small numbers, always the smallest that is free. */
  readonly #byFd: (Client | undefined)[] = [];
  #count = 0;
  readonly #slots: Slots;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#slots = new Slots(around.limits.connectionsPerKey, around.limits.connectionsTotal);
  }

  get(fd: number): Client | undefined {
    return this.#byFd[fd];
  }

  /** Lets a connection in, if its group has room; else it is refused and undefined. */
  admit(fd: number, group: Group, nowMs: number): Client | undefined {
    const admission = this.#slots.admit(group.key);
    if (admission !== 'admitted') {
      this.#refuse(fd, group, admission);
      return undefined;
    }
    const client = new Client(fd, group, nowMs);
    // Without holes it stays an array for the engine too, whatever else is open.
    while (this.#byFd.length <= fd) this.#byFd.push(undefined);
    this.#byFd[fd] = client;
    this.#around.owned[fd] = 1;
    this.#around.shared[OPEN] = ++this.#count;
    return client;
  }

  /** Gives back the slot of a connection that was handed over. */
  release(key: string, admission: Exclude<Admission, 'dropped'>): void {
    this.#slots.release(key, admission);
  }

  /** A connection of nobody known: the server behind may find out more. */
  handOverUnknown(fd: number): void {
    this.#report({ fd, caller: null });
  }

  /** Leaves a connection to the server behind, which gives its slot back in the end. */
  handOver(client: Client, rest: Partial<HandedRest>): void {
    if (client.polled) this.#around.epoll.remove(client.fd);
    this.#forget(client);
    this.#report({ fd: client.fd, caller: client.group.caller, ...rest });
  }

  close(client: Client): void {
    close(client.fd);
    this.#forget(client);
    this.#slots.release(client.group.key, 'admitted');
  }

  /** Ends all connections of an instance; returns how many. */
  closeInstance(instanceId: number): number {
    const its = this.all().filter(({ group }) => group.run.facts.instanceId === instanceId);
    for (const client of its) this.close(client);
    return its.length;
  }

  /** Ends those that were silent for too long. */
  closeIdle(nowMs: number): void {
    const heardMs = nowMs - this.#around.limits.idleTimeoutMs;
    if (this.#count === 0) return;
    for (const client of this.#byFd) {
      if (client === undefined) continue;
      if (client.heardMs <= heardMs && !client.waits) this.close(client);
    }
  }

  /** All of them, for the end. */
  all(): Client[] {
    return this.#byFd.filter((client) => client !== undefined);
  }

  #forget(client: Client): void {
    client.gone = true;
    this.#byFd[client.fd] = undefined;
    this.#around.owned[client.fd] = 0;
    this.#around.shared[OPEN] = --this.#count;
  }

  #refuse(fd: number, group: Group, admission: Exclude<Admission, 'admitted'>): void {
    if (admission === 'refused') {
      this.#report({ fd, caller: group.caller, admission });
      return;
    }
    transmit(fd, REFUSAL, REFUSAL.length);
    // Unread bytes would make a reset of the end that the client is to see.
    receive(fd, dropped);
    close(fd);
  }

  #report(handed: Partial<HandedReport> & Pick<HandedReport, 'fd' | 'caller'>): void {
    const obeyed = Atomics.load(this.#around.shared, DONE);
    this.#around.report({ ...NOTHING_LEFT, obeyed, ...handed });
  }
}
