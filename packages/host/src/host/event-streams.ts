import type { Log } from '../base/log.ts';
import type { EndReason } from '../base/sockets.ts';
import { hostError } from '../core/host-errors.ts';
import { PING_INTERVAL_MS } from '../events/pings.ts';
import { refusedPosition } from '../events/positions.ts';
import type { HostBackend } from './backend.ts';
import { type EventWish, Listener } from './event-listener.ts';
import { EVENT_LISTENERS_MAX } from './host-limits.ts';
import type { Claim } from './upgrade.ts';

/** The listeners of GET /1.0/events. */
export class EventStreams {
  readonly #backend: Pick<HostBackend, 'subscribe' | 'journal'>;
  readonly #log: Log;
  readonly #keepaliveMs: number;
  readonly #listeners = new Set<Listener>();
  #stop = () => {};

  constructor(
    backend: Pick<HostBackend, 'subscribe' | 'journal'>,
    log: Log,
    keepaliveMs: number = PING_INTERVAL_MS,
  ) {
    this.#backend = backend;
    this.#log = log;
    this.#keepaliveMs = keepaliveMs;
  }

  /** Begins to follow the daemon's events. */
  start(): void {
    const unsubscribe = this.#backend.subscribe((event) => {
      for (const listener of this.#listeners) listener.take(event);
    });
    const keepalive = setInterval(() => {
      for (const listener of this.#listeners) listener.ping();
    }, this.#keepaliveMs).unref();
    this.#stop = () => {
      unsubscribe();
      clearInterval(keepalive);
    };
  }

  /**
   * Makes a listener that misses nothing from now on, also while the handshake is not answered yet: an
   * operation that ends in between would leave its client waiting for ever.
   * @throws CodedError 503 when there are too many, 410 when events after its position are gone
   */
  claim(wish: EventWish): Claim {
    this.#checkPosition(wish);
    if (this.#listeners.size >= EVENT_LISTENERS_MAX) throw hostError('too-many-listeners');
    const listener = new Listener(wish, this.#backend.journal, this.#log);
    this.#listeners.add(listener);
    const drop = () => void this.#listeners.delete(listener);
    return { open: (socket) => listener.open(socket, drop), drop };
  }

  /** Ends all streams, and tells whether they may be opened again in a moment. */
  stop(reason: EndReason): void {
    this.#stop();
    for (const listener of this.#listeners) listener.close(reason);
  }

  /** Cuts the connections of listeners that have not reacted to the end. */
  cut(): void {
    for (const listener of this.#listeners) listener.cut();
  }

  #checkPosition({ since }: EventWish): void {
    const refused = refusedPosition(since, this.#backend.journal.span());
    if (refused) throw hostError(refused.why, refused.nearest);
  }
}
