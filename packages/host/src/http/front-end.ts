import type { Accepted } from './application.ts';

/** A connection that the front leaves to the server, with all that has happened on it so far. */
export interface HandedOver<Peer> {
  readonly fd: number;
  readonly accepted: Accepted<Peer>;
  /** What the client has sent and nobody has answered. */
  readonly unread: Buffer;
  /** Answers that the client has not taken. */
  readonly unsent: Buffer;
  /** The connection ends when the client has taken them. */
  readonly last: boolean;
}

/** What the front calls back. */
export interface FrontEndCalls<Peer> {
  take(connection: HandedOver<Peer>): void;
  /** A connection that is kept, unread, for the next server: it is not known yet whose it is. */
  keep(fd: number): void;
  /** The front end is gone and with it the connections that it had: the server has to accept by itself. */
  alone(): void;
}

/** How a front end stops. */
export interface FrontEndStop {
  /** Accepts who waits at the listening socket now; otherwise they stay there. */
  readonly acceptWaiting: boolean;
  /** Hands over connections at rest as well; otherwise they are closed. */
  readonly leave: boolean;
}

/**
 * Something that accepts connections in front of the server, answers what it can and leaves the others to it.
 * It counts all connections, also those that it has handed over, and hands over few at a time.
 */
export interface FrontEnd<Peer> {
  /** Whether it accepts, or will when it is told where. */
  readonly works: boolean;
  /** Accepts on a listening socket from now on. */
  serve(listening: number, behind: FrontEndCalls<Peer>): void;
  /** Serves connections that another server has left, as if they were new. */
  takeOver(connections: readonly number[]): void;
  /** The server has begun to serve a connection that was handed over: another one may come. */
  taken(accepted: Accepted<Peer>): void;
  /** A connection that was handed over has ended. */
  release(accepted: Accepted<Peer>): void;
  /** Open connections, without those that were handed over. */
  connections(): number;
  /** Accepts no more, and hands over the connections that are not at rest. The listening socket stays open. */
  stop(end: FrontEndStop): Promise<void>;
}
