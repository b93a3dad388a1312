/** LXD pings those who listen this often. */
export const PING_INTERVAL_MS = 10_000;

/** Unanswered pings after which a listener is gone. */
const UNANSWERED_MAX = 3;

/** Counts the pings of one listener. */
export class Pings {
  private unanswered = 0;

  /** A ping is due: whether to send it, or to end the connection, since too many stayed unanswered. */
  next(): 'send' | 'end' {
    return this.unanswered++ >= UNANSWERED_MAX ? 'end' : 'send';
  }

  answered(): void {
    this.unanswered = 0;
  }
}
