import { WebSocket } from 'ws';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { CLOSE_FRAMES, type EndReason } from '../base/sockets.ts';
import type { Position } from '../core/position.ts';
import { FEED_ENDS } from '../events/ends.ts';
import {
  EventFeed,
  type EventPiece,
  type EventReader,
  type EventSource,
  type FeedEnd,
} from '../events/feed.ts';
import { Pings } from '../events/pings.ts';
import type { HostEvent, HostJournal, LifecycleEvent } from '../model/events.ts';
import type { EventType } from '../wire/event.ts';
import { eventText } from './event-json.ts';
import {
  CLOSE_TIMEOUT_MS,
  EVENT_QUEUE_BYTES_MAX,
  REPLAYED_BYTES_MAX,
  REPLAYED_EVENTS_MAX,
} from './host-limits.ts';

export interface EventWish {
  readonly types: ReadonlySet<EventType>;
  /** The position after which lifecycle events are sent; undefined: from now on, without sequence numbers. */
  readonly since: Position | undefined;
  /** Whether events of other members are sent, too. */
  readonly everywhere: boolean;
}

/**
 * One listener of GET /1.0/events, from its handshake on. Lifecycle events come by its feed, from its
 * position on if it has given one. Other events are not in the journal, and are never held back.
 */
export class Listener {
  readonly #wish: EventWish;
  readonly #location: string;
  readonly #log: Log;
  readonly #feed: EventFeed<LifecycleEvent>;
  /** Takes a new lifecycle event; set while the feed follows. */
  #listener: ((event: LifecycleEvent) => void) | undefined;
  /** Events from before the handshake was answered. */
  readonly #early: string[] = [];
  #socket: WebSocket | undefined;
  /** Messages on their way to the client. */
  #sent = 0;
  /** Called when no messages are on their way. */
  #waiting: (() => void) | undefined;
  readonly #unanswered = new Pings();

  constructor(wish: EventWish, journal: HostJournal, { location, log }: { location: string; log: Log }) {
    this.#wish = wish;
    this.#location = location;
    this.#log = log;
    this.#feed = new EventFeed(this.#source(journal), this.#reader(), wish.since);
    if (typeof wish.since !== 'number') this.#feed.start();
  }

  /** Takes a new event. */
  take(event: HostEvent): void {
    if (!this.#wish.types.has(event.type)) return;
    if (event.type === 'lifecycle') this.#listener?.(event);
    else if (!this.#push(event)) this.#end('too-slow');
  }

  /** Takes a new event of another member, which has no position here. */
  relay(type: EventType, text: string): void {
    if (!this.#wish.everywhere || !this.#wish.types.has(type)) return;
    if (!this.#pushText(text)) this.#end('too-slow');
  }

  /** The handshake is answered. @param drop called when the connection has ended */
  open(socket: WebSocket, drop: () => void): void {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#feed.stop();
      drop();
    });
    socket.on('pong', () => {
      this.#unanswered.answered();
    });
    this.ping();
    for (const text of this.#early.splice(0)) this.#send(text);
    if (this.#replays) this.#feed.start();
  }

  /** Pings the client, and ends the connection when the client has not answered for too long. */
  ping(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    if (this.#unanswered.next() === 'end') this.#socket.terminate();
    else this.#socket.ping('keepalive');
  }

  /** Tells the client that the daemon ends, or that it restarts in place. */
  close(reason: EndReason): void {
    this.#feed.stop();
    this.#socket?.close(...CLOSE_FRAMES[reason]);
  }

  cut(): void {
    this.#socket?.terminate();
  }

  /** Whether missed events are sent after the handshake: only lifecycle events are in the journal. */
  get #replays(): boolean {
    return typeof this.#wish.since === 'number' && this.#wish.types.has('lifecycle');
  }

  #source(journal: HostJournal): EventSource<LifecycleEvent> {
    return {
      span: () => journal.span(),
      after: (position) => this.#read(journal, position),
      follow: (listener) => {
        this.#listener = listener;
        return () => {
          this.#listener = undefined;
        };
      },
    };
  }

  #read(journal: HostJournal, position: number): EventPiece<LifecycleEvent> {
    try {
      const { events, more } = journal.after(position, REPLAYED_EVENTS_MAX, REPLAYED_BYTES_MAX);
      return { events, more, reached: events.at(-1)?.sequence ?? position };
    } catch (error) {
      this.#log.error({ reason: messageOf(error) }, 'events of the past cannot be read');
      throw error;
    }
  }

  #reader(): EventReader<LifecycleEvent> {
    return {
      add: (event) => this.#send(this.#text(event)),
      push: (event) => this.#push(event),
      whenTaken: (next) => {
        this.#waiting = next;
        this.#wake();
      },
      end: (why) => this.#end(why),
    };
  }

  #text(event: HostEvent): string {
    return eventText(event, this.#location, this.#wish.since !== undefined);
  }

  /** @returns false when too many bytes wait already */
  #push(event: HostEvent): boolean {
    return this.#pushText(this.#text(event));
  }

  #pushText(text: string): boolean {
    if (this.#socket && this.#socket.bufferedAmount > EVENT_QUEUE_BYTES_MAX) return false;
    this.#send(text);
    return true;
  }

  #send(text: string): void {
    const socket = this.#socket;
    if (!socket) {
      this.#early.push(text);
      return;
    }
    if (socket.readyState !== WebSocket.OPEN) return;
    this.#sent++;
    socket.send(text, () => {
      this.#sent--;
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#sent > 0 || !this.#waiting) return;
    setImmediate(this.#waiting);
    this.#waiting = undefined;
  }

  /** The reason is sent after all waiting messages; a client that does not read it in time is cut off. */
  #end(why: FeedEnd): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    this.#log.warn({ reason: why, waitingBytes: socket.bufferedAmount }, 'event listener was ended');
    this.#feed.stop();
    socket.close(...FEED_ENDS[why]);
    const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
    socket.once('close', () => clearTimeout(timer));
  }
}
