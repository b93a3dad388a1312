/** LXD pings its listeners this often. */
export const PING_INTERVAL_MS = 10_000;

/** After this many unanswered pings a listener is gone. */
const UNANSWERED_MAX = 3;

/** Counts the pings of one listener. */
export class Pings {
  #unanswered = 0;

  /** When a ping is due: whether to send it, or to end the connection, since too many are unanswered. */
  next(): 'send' | 'end' {
    return this.#unanswered++ >= UNANSWERED_MAX ? 'end' : 'send';
  }

  answered(): void {
    this.#unanswered = 0;
  }
}
