import { WebSocket } from 'ws';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { CLOSE_FRAMES, type EndReason } from '../base/sockets.ts';
import type { Position } from '../core/position.ts';
import { Pings } from '../events/pings.ts';
import { EVENTS_DROPPED, TRY_AGAIN } from '../events/try-again.ts';
import type { HostEvent, HostJournal } from '../model/events.ts';
import type { EventType } from '../wire/event.ts';
import { eventText } from './event-json.ts';
import {
  CLOSE_TIMEOUT_MS,
  EVENT_QUEUE_BYTES_MAX,
  REPLAYED_BYTES_MAX,
  REPLAYED_EVENTS_MAX,
} from './limits.ts';

export interface EventWish {
  readonly types: ReadonlySet<EventType>;
  /** Where lifecycle events go on; undefined: from now on, without sequence numbers. */
  readonly since: Position | undefined;
}

/**
 * One listener of GET /1.0/events, from its handshake on. One that has given a position first gets the lifecycle
 * events that it has missed, from the journal, batch by batch; those that come meanwhile are in the journal too, so
 * it begins to take them live in the turn in which nothing more was found there. Other events are never held back.
 */
export class Listener {
  readonly #wish: EventWish;
  readonly #journal: HostJournal;
  readonly #log: Log;
  /** Events from before the handshake was answered. */
  readonly #early: string[] = [];
  #socket: WebSocket | undefined;
  /** While it catches up: the newest event of the journal that it has been sent. */
  #behind: number | undefined;
  readonly #unanswered = new Pings();

  constructor(wish: EventWish, journal: HostJournal, log: Log) {
    this.#wish = wish;
    this.#journal = journal;
    this.#log = log;
    const { types, since } = wish;
    this.#behind = typeof since === 'number' && types.has('lifecycle') ? since : undefined;
  }

  /** Takes an event that has just happened. */
  take(event: HostEvent): void {
    if (!this.#wish.types.has(event.type)) return;
    if (this.#behind !== undefined && event.type === 'lifecycle') return;
    const text = eventText(event, this.#wish.since !== undefined);
    if (this.#socket) this.#send(text);
    else this.#early.push(text);
  }

  /** The handshake is answered. @param drop called when the connection has ended */
  open(socket: WebSocket, drop: () => void): void {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.once('close', drop);
    socket.on('pong', () => {
      this.#unanswered.answered();
    });
    this.ping();
    for (const text of this.#early.splice(0)) socket.send(text);
    if (this.#behind !== undefined) this.#catchUp(this.#behind);
  }

  /** Asks whether it is still there, and ends it when it has not answered for too long. */
  ping(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    if (this.#unanswered.next() === 'end') this.#socket.terminate();
    else this.#socket.ping('keepalive');
  }

  /** Says that the daemon goes away, or that it will be back at once. */
  close(reason: EndReason): void {
    this.#socket?.close(...CLOSE_FRAMES[reason]);
  }

  cut(): void {
    this.#socket?.terminate();
  }

  #catchUp(position: number): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (position < this.#journal.span().oldest) {
      this.#end(socket, EVENTS_DROPPED);
      return;
    }
    const page = this.#read(position);
    if (!page) {
      this.#end(socket, 'the journal cannot be read');
      return;
    }
    const { events, more } = page;
    const last = events.at(-1)?.sequence ?? position;
    this.#behind = more ? last : undefined;
    // The next batch follows when the client has taken this one.
    const next = () => setImmediate(() => this.#catchUp(last));
    for (const event of events) {
      const text = eventText(event, true);
      if (more && event.sequence === last) socket.send(text, next);
      else socket.send(text);
    }
  }

  /** Its failure is this listener's end, and nobody else's. */
  #read(position: number): ReturnType<HostJournal['after']> | undefined {
    try {
      return this.#journal.after(position, REPLAYED_EVENTS_MAX, REPLAYED_BYTES_MAX);
    } catch (error) {
      this.#log.error({ reason: messageOf(error) }, 'events of the past cannot be read');
      return undefined;
    }
  }

  #send(text: string): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    socket.send(text);
    if (socket.bufferedAmount <= EVENT_QUEUE_BYTES_MAX) return;
    this.#log.warn({ waitingBytes: socket.bufferedAmount }, 'event listener is too slow and was cut off');
    this.#end(socket, 'too many events wait to be read');
  }

  /** The reason stands behind what waits already; a client that does not come to it in time is cut. */
  #end(socket: WebSocket, reason: string): void {
    socket.close(TRY_AGAIN, reason);
    const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
    socket.once('close', () => clearTimeout(timer));
  }
}
