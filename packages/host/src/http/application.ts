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

/** What is known of a connection for all of its life. */
export interface Accepted<Peer> extends Share {
  readonly peer: Peer;
}

/** What a server needs to be told by the API it serves. */
export interface Application<Peer> {
  /**
   * Called once per connection, at accept, with the socket's file descriptor. A promise holds the connection,
   * unread, until it is known who is there.
   */
  accept(fd: number): Accepted<Peer> | Promise<Accepted<Peer>>;
  /** Whether a body is worth keeping; others are read and dropped. */
  readsBody(peer: Peer, head: RequestHead): boolean;
  /**
   * Answers one request; called when it is the turn of the connection's key. What takes longer than an answer
   * should is divided into pieces that wait for their `turn`. What it throws goes to `failed`.
   */
  answer(peer: Peer, request: Request, turn: Turn): Reply | Promise<Reply>;
  /** The answer to a request whose handler threw; tells the log why. */
  failed(error: unknown, peer: Peer, head: RequestHead | undefined): Reply;
}
