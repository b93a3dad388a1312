import { BACKLOG } from '../http/listener.ts';
import { setQueueDepth } from '../native/sockets.ts';
import { FLOODED_BACKLOG, FLOODED_MS } from './lane-limits.ts';

/**
 * How many connections may wait to be accepted. All clients wait in one queue, so a flood of worthless
 * connections (hung up, refused, or of unknown callers) fills it, and all others wait for that. Then the
 * queue is made short: it is full either way. Otherwise it is deep, so that many instances that boot at once
 * all get in.
 */
export class QueueDepth {
  readonly #listening: number;
  #floodedMs = Number.NEGATIVE_INFINITY;
  #short = false;

  constructor(listening: number) {
    this.#listening = listening;
  }

  /** Counts connections that waited, and how many of them were worthless. */
  note(waited: number, worthless: number, nowMs: number): void {
    if (worthless * 2 <= waited) return;
    this.#floodedMs = nowMs;
    this.#set(true);
  }

  /** Makes the queue deep again after a while without a flood. */
  sweep(nowMs: number): void {
    if (nowMs - this.#floodedMs >= FLOODED_MS) this.#set(false);
  }

  /** Restores the normal depth. */
  end(): void {
    this.#set(false);
  }

  #set(short: boolean): void {
    if (short === this.#short) return;
    this.#short = short;
    setQueueDepth(this.#listening, short ? FLOODED_BACKLOG : BACKLOG);
  }
}
