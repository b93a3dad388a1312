import type { Share } from '../base/byte-shares.ts';
import type { FeedEnd } from '../events/feed.ts';

/** Memory that a waiting event takes besides its bytes. */
const WAITING_BYTES = 256;

/** Where the events of one reader are written to. */
export interface EventSink {
  /** Writes one event; calls `done` when the reader has taken it, or the write has failed. */
  write(bytes: Buffer, done: () => void): void;
  /** Ends the connection, and sends the reason if the transport can; the reader may never read it. */
  end(why: FeedEnd): void;
}

/** Starts the events of a reader, once its stream is open. Returns the function that ends them. */
export type Attach = (sink: EventSink) => () => void;

export interface EventQueueLimits {
  readonly eventQueueMessages: number;
  readonly eventQueueBytes: number;
  readonly eventStallMs: number;
}

/**
 * The ordered queue of one reader. A reader that stalls is ended: it may lose its stream, but never an event
 * in the middle of it.
 */
export class EventQueue {
  readonly #sink: EventSink;
  readonly #limits: EventQueueLimits;
  /** The bytes that wait for all readers of one instance. */
  readonly #share: Share;
  #messages = 0;
  #bytes = 0;
  /** Writes that have completed since the timer was set. */
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Called when the reader has taken everything. */
  #waiting: (() => void) | undefined;
  #closed = false;

  constructor(sink: EventSink, limits: EventQueueLimits, share: Share) {
    this.#sink = sink;
    this.#limits = limits;
    this.#share = share;
  }

  /**
   * Adds one event, unless more would wait than the limits allow; false if it was not added. An event is
   * always added when nothing waits.
   */
  push(event: Buffer): boolean {
    const { eventQueueMessages, eventQueueBytes } = this.#limits;
    const size = event.length + WAITING_BYTES;
    const full = this.#messages >= eventQueueMessages || this.#bytes + size > eventQueueBytes;
    if (this.#messages > 0 && (full || !this.#share.hasRoom(size))) return false;
    this.add(event);
    return true;
  }

  /** Adds one event regardless of the limits; for a caller that adds more only after `whenTaken`. */
  add(event: Buffer): void {
    if (this.#closed) return;
    const size = event.length + WAITING_BYTES;
    this.#count(1, size);
    this.#timer ??= this.#watch();
    this.#sink.write(event, () => {
      this.#count(-1, -size);
      this.#taken++;
      if (this.#messages === 0) this.#wake();
    });
  }

  /** Calls back once, in a later turn of the event loop, when no event waits. */
  whenTaken(callback: () => void): void {
    this.#waiting = callback;
    if (this.#messages === 0) this.#wake();
  }

  /** Ends the reader. */
  end(why: FeedEnd): void {
    if (this.#closed) return;
    this.close();
    this.#sink.end(why);
  }

  /** Stops writing. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #count(messages: number, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
    this.#share.count(bytes);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) setImmediate(waiting);
  }

  #watch(): NodeJS.Timeout {
    this.#taken = 0;
    return setTimeout(() => {
      this.#timer = undefined;
      if (this.#messages === 0) return;
      if (this.#taken === 0) this.end('too-slow');
      else this.#timer = this.#watch();
    }, this.#limits.eventStallMs);
  }
}
