import type { WebSocket } from 'ws';
import type { Log } from '../base/log.ts';
import type { EndReason } from '../base/sockets.ts';
import { hostError } from '../core/host-errors.ts';
import { PING_INTERVAL_MS } from '../events/pings.ts';
import { refusedPosition } from '../events/positions.ts';
import type { EventType } from '../wire/event.ts';
import type { HostBackend } from './backend.ts';
import { locationIn } from './call.ts';
import { type EventWish, Listener } from './event-listener.ts';
import { EVENT_LISTENERS_MAX } from './host-limits.ts';
import { MemberStreams } from './member-streams.ts';
import type { Claim } from './upgrade.ts';

/** The listeners of GET /1.0/events. */
export class EventStreams {
  readonly #backend: Pick<HostBackend, 'subscribe' | 'journal' | 'fleet'>;
  readonly #log: Log;
  readonly #keepaliveMs: number;
  readonly #listeners = new Set<Listener>();
  #others: MemberStreams | undefined;
  #stop = () => {};

  constructor(
    backend: Pick<HostBackend, 'subscribe' | 'journal' | 'fleet'>,
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
    const location = locationIn(this.#backend);
    const listener = new Listener(wish, this.#backend.journal, { location, log: this.#log });
    this.#listeners.add(listener);
    const others = wish.everywhere ? this.#streams() : undefined;
    const release = others?.hold();
    const drop = () => {
      if (this.#listeners.delete(listener)) release?.();
    };
    const claim = { open: (socket: WebSocket) => listener.open(socket, drop), drop };
    return others ? { ...claim, ready: () => others.ready() } : claim;
  }

  /** Ends all streams, and tells whether they may be opened again in a moment. */
  stop(reason: EndReason): void {
    this.#stop();
    this.#others?.stop();
    for (const listener of this.#listeners) listener.close(reason);
  }

  /** Cuts the connections of listeners that have not reacted to the end. */
  cut(): void {
    for (const listener of this.#listeners) listener.cut();
  }

  /** The streams of the other members; undefined on a single host. */
  #streams(): MemberStreams | undefined {
    const { fleet } = this.#backend;
    if (fleet === null) return undefined;
    const relay = (type: EventType, text: string) => {
      for (const listener of this.#listeners) listener.relay(type, text);
    };
    this.#others ??= new MemberStreams(fleet, relay, this.#log);
    return this.#others;
  }

  #checkPosition({ since }: EventWish): void {
    const refused = refusedPosition(since, this.#backend.journal.span());
    if (refused) throw hostError(refused.why, refused.nearest);
  }
}
