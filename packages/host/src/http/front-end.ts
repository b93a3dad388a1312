import type { Accepted } from './application.ts';

/** A connection that the front end hands over to the server, with all that has happened on it so far. */
export interface HandedOver<Peer> {
  readonly fd: number;
  readonly accepted: Accepted<Peer>;
  /** Bytes that the client has sent and that are not answered yet. */
  readonly unread: Buffer;
  /** Bytes of answers that the client has not taken. */
  readonly unsent: Buffer;
  /** The connection ends when the client has taken `unsent`. */
  readonly last: boolean;
}

/** How a front end calls the server. */
export interface FrontEndCalls<Peer> {
  take(connection: HandedOver<Peer>): void;
  /** A connection to keep, unread, for the next server, since its caller is not known yet. */
  keep(fd: number): void;
  /** The front end has ended, with all its connections: the server has to accept by itself. */
  alone(): void;
}

/** How a front end stops. */
export interface FrontEndStop {
  /** Accepts the connections that wait at the listening socket; otherwise they stay there. */
  readonly acceptWaiting: boolean;
  /** Hands over connections at rest as well; otherwise they are closed. */
  readonly leave: boolean;
}

/**
 * Accepts connections in place of the server, answers what it can, and hands over the rest. It counts all
 * connections, also those that it has handed over, and hands over few at a time.
 */
export interface FrontEnd<Peer> {
  /** Whether it accepts, or will as soon as `serve` is called. */
  readonly works: boolean;
  /** Starts to accept on a listening socket. */
  serve(listening: number, calls: FrontEndCalls<Peer>): void;
  /** Serves connections that the previous server has left, as if they were new. */
  takeOver(connections: readonly number[]): void;
  /** The server now serves a connection that was handed over, so the next one may be handed over. */
  taken(accepted: Accepted<Peer>): void;
  /** A connection that was handed over has ended. */
  release(accepted: Accepted<Peer>): void;
  /** Open connections, without those that were handed over. */
  connections(): number;
  /** Stops accepting, and hands over connections that are not at rest. The listening socket stays open. */
  stop(end: FrontEndStop): Promise<void>;
}
