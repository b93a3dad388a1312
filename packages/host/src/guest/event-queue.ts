import type { Share } from '../base/byte-shares.ts';
import type { FeedEnd } from '../events/feed.ts';

/** What one event costs beside its bytes while it waits for a reader. */
const WAITING_BYTES = 256;

/** Where the events of one reader go. */
export interface EventSink {
  /** Writes one event; calls back when it has been taken, with or without an error. */
  write(bytes: Buffer, done: () => void): void;
  /** Ends the connection, and says why if it can be said; the reader may never read it. */
  end(why: FeedEnd): void;
}

/** Starts a reader's events: called once its stream is open, gives what ends them. */
export type Attach = (sink: EventSink) => () => void;

export interface EventQueueLimits {
  readonly eventQueueMessages: number;
  readonly eventQueueBytes: number;
  readonly eventStallMs: number;
}

/**
 * The one ordered queue of a reader. A reader that stalls is ended: it may lose its stream, but never an event
 * out of the middle.
 */
export class EventQueue {
  private readonly sink: EventSink;
  private readonly limits: EventQueueLimits;
  /** What the readers of one instance have wait together. */
  private readonly share: Share;
  private messages = 0;
  private bytes = 0;
  /** Writes that were taken since the timer was set. */
  private taken = 0;
  private timer: NodeJS.Timeout | undefined;
  /** Waits until the reader has taken everything. */
  private waiting: (() => void) | undefined;
  private closed = false;

  constructor(sink: EventSink, limits: EventQueueLimits, share: Share) {
    this.sink = sink;
    this.limits = limits;
    this.share = share;
  }

  /**
   * Adds one event, unless more would wait than the limits allow; false: it has not been added. A reader for whom
   * nothing waits gets it in any case.
   */
  push(event: Buffer): boolean {
    const { eventQueueMessages, eventQueueBytes } = this.limits;
    const size = event.length + WAITING_BYTES;
    const full = this.messages >= eventQueueMessages || this.bytes + size > eventQueueBytes;
    if (this.messages > 0 && (full || !this.share.hasRoom(size))) return false;
    this.add(event);
    return true;
  }

  /** Adds one event in any case; for those who wait until the last ones have been taken. */
  add(event: Buffer): void {
    if (this.closed) return;
    const size = event.length + WAITING_BYTES;
    this.count(1, size);
    this.timer ??= this.watch();
    this.sink.write(event, () => {
      this.count(-1, -size);
      this.taken++;
      if (this.messages === 0) this.wake();
    });
  }

  /** Calls back once, in a later turn, when nothing waits any more. */
  whenTaken(callback: () => void): void {
    this.waiting = callback;
    if (this.messages === 0) this.wake();
  }

  /** Ends the reader. */
  end(why: FeedEnd): void {
    if (this.closed) return;
    this.close();
    this.sink.end(why);
  }

  /** Nothing is written any more. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private count(messages: number, bytes: number): void {
    this.messages += messages;
    this.bytes += bytes;
    this.share.count(bytes);
  }

  private wake(): void {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting !== undefined) setImmediate(waiting);
  }

  private watch(): NodeJS.Timeout {
    this.taken = 0;
    return setTimeout(() => {
      this.timer = undefined;
      if (this.messages === 0) return;
      if (this.taken === 0) this.end('too-slow');
      else this.timer = this.watch();
    }, this.limits.eventStallMs);
  }
}
