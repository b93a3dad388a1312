/** A stretch of a file that is to go out on a socket. Both descriptors stay open until it is told of. */
export interface Stretch {
  readonly socket: number;
  readonly file: number;
  readonly start: number;
  readonly length: number;
  /** A client that takes nothing for so long is gone. */
  readonly stallMs: number;
}

/** How a stretch went. */
export interface Sent {
  readonly socket: number;
  readonly outcome: 'sent' | 'client-gone' | 'file-shorter';
}

/** What the thread is started with. */
export interface SenderStart {
  /** Readable when there are stretches, or `stop`. */
  readonly wake: number;
}

export type SenderOrder = Stretch | 'stop';
