import type { Accepted } from './application.ts';
import type { Admission } from './slots.ts';

/** A connection that the front leaves to the server, with all that has happened on it so far. */
export interface HandedOver<Peer> {
  readonly fd: number;
  /** Undefined: nobody knows yet whose it is, and no limit has counted it. */
  readonly accepted: Accepted<Peer> | undefined;
  readonly admission: Exclude<Admission, 'dropped'>;
  /** What the client has sent and nobody has answered. */
  readonly unread: Buffer;
  /** Answers that the client has not taken. */
  readonly unsent: Buffer;
  /** The connection ends when the client has taken them. */
  readonly last: boolean;
}

/** What the front calls back. */
export interface Behind<Peer> {
  take(connection: HandedOver<Peer>): void;
  /** The front is gone and with it the connections that it had: the server has to accept by itself. */
  alone(): void;
}

/**
 * Something that accepts connections in front of the server, answers what it can and leaves the others to it.
 * It counts all connections of known peers, also those that it has handed over.
 */
export interface Front<Peer> {
  /** Whether it accepts, or will when it is told where. */
  readonly works: boolean;
  /** Accepts on a listening socket from now on. */
  serve(listening: number, behind: Behind<Peer>): void;
  /** Takes back a connection that was handed over unknown, as its peer is known now; false if it is nobody's. */
  giveBack(fd: number, accepted: Accepted<Peer>): boolean;
  /** A connection that was handed over with a known peer has ended. */
  release(key: string, admission: Exclude<Admission, 'dropped'>): void;
  /** Open connections, without those that were handed over. */
  connections(): number;
  /**
   * Accepts no more, apart from who waits if asked to; closes connections that are at rest and hands the others
   * over. The listening socket stays open.
   * @param leave hands over those at rest as well
   */
  stop(acceptWaiting: boolean, leave: boolean): Promise<void>;
}
