/** A stretch of a file to send on a socket. Both descriptors stay open until its outcome is reported. */
export interface Stretch {
  readonly socket: number;
  readonly file: number;
  readonly start: number;
  readonly length: number;
  /** A client that takes nothing for this many milliseconds is cut off. */
  readonly stallMs: number;
}

/** The outcome of a stretch. */
export interface Sent {
  readonly socket: number;
  readonly outcome: 'sent' | 'client-gone' | 'file-shorter';
}

/** The data that the thread is started with. */
export interface SenderStart {
  /** An eventfd that is readable when there are stretches, or `stop`. */
  readonly wake: number;
}

export type SenderOrder = Stretch | 'stop';
