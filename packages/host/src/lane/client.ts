import type { Admission } from '../http/slots.ts';
import type { CallerGroup } from './caller-group.ts';
import type { Linked } from './linked-queue.ts';

/** A connection of the lane. Between turns it is at rest: no half-read request, no half-written answer. */
export class Client implements Linked<Client> {
  readonly fd: number;
  readonly group: CallerGroup;
  next: Client | undefined;
  /** Bytes that were read but not answered yet, since its turn was over. */
  unread: Buffer | undefined;
  /** Whether it has sent a request. */
  asked = false;
  /** Whether it is in the epoll set. */
  polled = false;
  /** Whether it was found at rest once; a client that asks only once mostly hangs up before the next look. */
  rested = false;
  /**
   * The client has hung up, or closed its half. The end comes after the bytes that can be read now; epoll
   * does not report it again.
   */
  ending = false;
  /** Whether it waits for its turn. */
  waits = false;
  /** Whether it is closed or handed over. */
  gone = false;
  /** Whether it has got its last answer: bytes that still come are dropped, until it hangs up. */
  closing = false;
  /** When the lane stops waiting for it, on the monotonic clock. */
  untilMs: number;
  readonly admission: Exclude<Admission, 'dropped'>;

  constructor(fd: number, group: CallerGroup, untilMs: number, admission: Client['admission'] = 'admitted') {
    this.fd = fd;
    this.group = group;
    this.untilMs = untilMs;
    this.admission = admission;
  }
}
