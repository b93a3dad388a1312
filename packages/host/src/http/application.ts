import type { Turn } from './fair-turns.ts';
import type { RequestHead } from './request-head.ts';
import type { Reply } from './response.ts';
import type { Share } from './slots.ts';

/** A request with all of its body. */
export interface Request {
  readonly head: RequestHead;
  /** Empty unless `Application.readsBody` asked for it. */
  readonly body: Buffer;
}

/** Facts about a connection that never change. */
export interface Accepted<Peer> extends Share {
  readonly peer: Peer;
}

/** The API that a server serves. */
export interface Application<Peer> {
  /**
   * Called once per connection, at accept, with the socket's file descriptor. While a promise is pending, the
   * connection waits and is not read.
   */
  accept(fd: number): Accepted<Peer> | Promise<Accepted<Peer>>;
  /** Whether a body is worth keeping; others are read and dropped. */
  readsBody(peer: Peer, head: RequestHead): boolean;
  /**
   * Answers one request; called when it is the turn of the connection's key. An answer that takes long is
   * divided into pieces that each wait for their `turn`. Errors that it throws go to `failed`.
   */
  answer(peer: Peer, request: Request, turn: Turn): Reply | Promise<Reply>;
  /** Logs the error, and gives the answer to a request whose handler threw it. */
  failed(error: unknown, peer: Peer, head: RequestHead | undefined): Reply;
}
