/** Where the events of one reader go. */
export interface EventSink {
  /** Writes one text; calls back when it has been taken, with or without an error. */
  write(text: string, done: () => void): void;
  /** Ends the connection without ceremony. */
  drop(): void;
}

/** Starts a reader's events: called once its stream is open, gives what ends them. */
export type Attach = (sink: EventSink) => () => void;

export interface EventQueueLimits {
  readonly eventQueueMessages: number;
  readonly eventQueueBytes: number;
  readonly eventStallMs: number;
}

/**
 * The one ordered queue of a reader. A reader that stalls, or lets more wait than the limits allow, is
 * dropped: it may lose its stream, but never an event out of the middle.
 */
export class EventQueue {
  private readonly sink: EventSink;
  private readonly limits: EventQueueLimits;
  private messages = 0;
  private bytes = 0;
  /** Writes that were taken since the timer was set. */
  private taken = 0;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(sink: EventSink, limits: EventQueueLimits) {
    this.sink = sink;
    this.limits = limits;
  }

  /** Adds one event's text. */
  push(text: string): void {
    if (this.closed) return;
    const size = Buffer.byteLength(text);
    const { eventQueueMessages, eventQueueBytes } = this.limits;
    const full = this.messages >= eventQueueMessages || this.bytes + size > eventQueueBytes;
    if (full && this.messages > 0) {
      this.sink.drop();
      return;
    }
    this.messages++;
    this.bytes += size;
    this.timer ??= this.watch();
    this.sink.write(text, () => {
      this.messages--;
      this.bytes -= size;
      this.taken++;
    });
  }

  /** Nothing is written any more. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private watch(): NodeJS.Timeout {
    this.taken = 0;
    return setTimeout(() => {
      this.timer = undefined;
      if (this.messages === 0) return;
      if (this.taken === 0) this.sink.drop();
      else this.timer = this.watch();
    }, this.limits.eventStallMs);
  }
}
