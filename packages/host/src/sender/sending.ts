import { FAILED, FULL, sendfile } from '../native/sendfile.ts';
import type { Sent, Stretch } from './messages.ts';
import { SENT_PER_TURN_MAX } from './send-limits.ts';

/** A stretch that is being sent. */
export class Sending {
  readonly stretch: Stretch;
  /** Whether the socket may take some bytes. */
  ready = true;
  #position: number;
  #takenMs: number;

  constructor(stretch: Stretch, nowMs: number) {
    this.stretch = stretch;
    this.#position = stretch.start;
    this.#takenMs = nowMs;
  }

  /** Sends some bytes; returns the outcome at the end. */
  step(nowMs: number): Sent['outcome'] | undefined {
    const { socket, file, start, length } = this.stretch;
    const left = start + length - this.#position;
    const sent = sendfile(socket, file, this.#position, Math.min(left, SENT_PER_TURN_MAX));
    if (sent === FAILED) return 'client-gone';
    if (sent === 0) return 'file-shorter';
    if (sent === FULL) {
      this.ready = false;
      return undefined;
    }
    this.#position += sent;
    this.#takenMs = nowMs;
    return sent === left ? 'sent' : undefined;
  }

  stalled(nowMs: number): boolean {
    return nowMs - this.#takenMs >= this.stretch.stallMs;
  }
}
