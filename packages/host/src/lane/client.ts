import type { Admission } from '../http/slots.ts';
import type { CallerGroup } from './caller-group.ts';
import type { Linked } from './linked-queue.ts';

/** A connection of the lane. Between turns it is at rest: no half-read request, no half-written answer. */
export class Client implements Linked<Client> {
  readonly fd: number;
  readonly group: CallerGroup;
  next: Client | undefined;
  /** Bytes that were read and whose turn has not come. */
  unread: Buffer | undefined;
  /** It has sent a request. */
  asked = false;
  /** The epoll set tells of it. */
  polled = false;
  /** It has been found at rest once; a client that asks only once mostly hangs up before it is looked at again. */
  rested = false;
  /** It has hung up, or closed its half: behind what can be read now is the end, of which nobody tells again. */
  ending = false;
  /** It waits for its turn. */
  waits = false;
  /** It is closed, or no longer the lane's. */
  gone = false;
  /** It has got its last answer: what still comes is dropped, until it hangs up. */
  closing = false;
  /** How long it is waited for. */
  untilMs: number;
  readonly admission: Exclude<Admission, 'dropped'>;

  constructor(fd: number, group: CallerGroup, untilMs: number, admission: Client['admission'] = 'admitted') {
    this.fd = fd;
    this.group = group;
    this.untilMs = untilMs;
    this.admission = admission;
  }
}
