import { BACKLOG } from '../http/listener.ts';
import { setQueueDepth } from '../native/sockets.ts';
import { FLOODED_BACKLOG, FLOODED_MS } from './lane-limits.ts';

/**
 * How many connections may wait to be accepted. All who connect wait in one queue, so a flood of connections that are
 * worth nothing makes it as long as it may be, and everybody waits for that. Then it is made short: it is full either
 * way. Else it is deep: many instances that boot at once are all let in.
 */
export class QueueDepth {
  readonly #listening: number;
  #floodedMs = Number.NEGATIVE_INFINITY;
  #short = false;

  constructor(listening: number) {
    this.#listening = listening;
  }

  /** Takes note of connections that waited, and how many of them were worth nothing. */
  note(waited: number, worthless: number, nowMs: number): void {
    if (worthless * 2 <= waited) return;
    this.#floodedMs = nowMs;
    this.#set(true);
  }

  /** Makes it deep again after a while without a flood. */
  sweep(nowMs: number): void {
    if (nowMs - this.#floodedMs >= FLOODED_MS) this.#set(false);
  }

  /** Leaves it as it was found. */
  end(): void {
    this.#set(false);
  }

  #set(short: boolean): void {
    if (short === this.#short) return;
    this.#short = short;
    setQueueDepth(this.#listening, short ? FLOODED_BACKLOG : BACKLOG);
  }
}
