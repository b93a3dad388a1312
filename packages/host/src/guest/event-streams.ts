import type { Socket } from 'node:net';
import { ByteShares } from '../base/byte-shares.ts';
import { Quota } from '../base/quota.ts';
import type { StoredEvent } from '../core/entities.ts';
import type { Position } from '../core/position.ts';
import { EventFeed, type EventReader, type EventSource } from '../events/feed.ts';
import type { Turn } from '../http/fair-turns.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Hijacker, Reply } from '../http/response.ts';
import type { GuestBackend } from './backend.ts';
import { refusePosition } from './event-list.ts';
import { type Attach, EventQueue, type EventSink } from './event-queue.ts';
import { eventBytes, numberedEventBytes } from './event-text.ts';
import { textError } from './guest-errors.ts';
import { type Limits, READ_PIECE } from './guest-limits.ts';
import { refuseHandshake } from './handshake.ts';
import { startPlainStream } from './plain-stream.ts';
import { startWebSocket } from './websocket-stream.ts';

/** The source of the events. */
export type EventBackend = Pick<GuestBackend, 'subscribe' | 'eventsAfter' | 'journalSpan'>;

export interface EventRequest {
  readonly instanceId: number;
  readonly types: ReadonlySet<string>;
  /** Undefined: only new events, in LXD's form. */
  readonly since: Position | undefined;
  /** Does work when it is the turn of the reader's instance. */
  readonly turn: Turn;
  readonly websocket: boolean;
  readonly head: RequestHead;
}

/** The event streams of all instances, over both transports. */
export class EventStreams {
  readonly #backend: EventBackend;
  readonly #limits: Limits;
  readonly #open: Quota;
  readonly #shares: ByteShares<number>;

  constructor(backend: EventBackend, limits: Limits) {
    this.#backend = backend;
    this.#limits = limits;
    this.#open = new Quota(limits.eventStreams);
    this.#shares = new ByteShares({
      each: limits.eventInstanceBytes,
      sure: limits.eventSureBytes,
      common: limits.eventCommonBytes,
    });
  }

  /** The answer to `GET /1.0/events`. */
  answer(request: EventRequest): Reply {
    if (request.websocket) {
      const refusal = refuseHandshake(request.head.fields);
      if (refusal !== undefined) return refusal;
    }
    if (request.since !== undefined) {
      const refusal = refusePosition(this.#backend, request.instanceId, request.since);
      if (refusal !== undefined) return refusal;
    }
    if (!this.#open.take(request.instanceId)) return textError('too-many-streams');
    return { kind: 'hijack', take: (socket, rest, ended) => this.#take(request, socket, rest, ended) };
  }

  #take(request: EventRequest, socket: Socket, rest: Buffer, ended: boolean): Hijacker {
    socket.once('close', () => this.#open.give(request.instanceId));
    const attach: Attach = (sink) => this.#attach(request, socket, sink);
    if (!request.websocket) return startPlainStream(socket, attach, ended || rest.length > 0);
    const { head, turn } = request;
    return startWebSocket({ socket, rest, ended, head, attach, turn, limits: this.#limits });
  }

  #attach(request: EventRequest, socket: Socket, sink: EventSink): () => void {
    const end: EventSink['end'] = (why) => {
      feed.stop();
      sink.end(why);
    };
    const queue = new EventQueue({ ...sink, end }, this.#limits, this.#shares.of(request.instanceId));
    const source = sourceOf(this.#backend, request);
    const feed = new EventFeed(source, readerOf(queue, request), request.since, request.turn);
    const detach = () => {
      feed.stop();
      queue.close();
    };
    socket.once('close', detach);
    feed.start();
    return detach;
  }
}

function sourceOf(backend: EventBackend, { instanceId, types }: EventRequest): EventSource<StoredEvent> {
  return {
    span: () => backend.journalSpan(instanceId),
    after: (position) => backend.eventsAfter({ instanceId, after: position, types, ...READ_PIECE }),
    follow: (listener) =>
      backend.subscribe(instanceId, (event) => {
        if (types.has(event.type)) listener(event);
      }),
  };
}

/** Only a reader that came with a position gets positions. */
function readerOf(queue: EventQueue, { since }: EventRequest): EventReader<StoredEvent> {
  const bytes = since === undefined ? eventBytes : numberedEventBytes;
  return {
    add: (event) => queue.add(bytes(event)),
    push: (event) => queue.push(bytes(event)),
    whenTaken: (next) => queue.whenTaken(next),
    end: (why) => queue.end(why),
  };
}
