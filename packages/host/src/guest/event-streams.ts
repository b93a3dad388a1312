import type { Socket } from 'node:net';
import { Quota } from '../base/quota.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Hijacker, Reply } from '../http/response.ts';
import { textError } from './errors.ts';
import { EventFeed, type EventSource, type EventWish } from './event-feed.ts';
import { refusePosition } from './event-list.ts';
import { type Attach, EventQueue, type EventSink, type Share } from './event-queue.ts';
import { EventShares } from './event-shares.ts';
import { refuseHandshake } from './handshake.ts';
import type { Limits } from './limits.ts';
import { startPlainStream } from './plain-stream.ts';
import { startWebSocket } from './websocket-stream.ts';

export interface EventRequest extends EventWish {
  readonly websocket: boolean;
  readonly head: RequestHead;
}

/** The event streams of all instances, over both transports. */
export class EventStreams {
  private readonly source: EventSource;
  private readonly limits: Limits;
  private readonly open: Quota;
  private readonly shares: EventShares;

  constructor(source: EventSource, limits: Limits) {
    this.source = source;
    this.limits = limits;
    this.open = new Quota(limits.eventStreams);
    this.shares = new EventShares(limits);
  }

  /** The answer to `GET /1.0/events`. */
  answer(request: EventRequest): Reply {
    if (request.websocket) {
      const refusal = refuseHandshake(request.head.fields);
      if (refusal !== undefined) return refusal;
    }
    if (request.since !== undefined) {
      const refusal = refusePosition(this.source, request.instanceId, request.since);
      if (refusal !== undefined) return refusal;
    }
    if (!this.open.take(request.instanceId)) return textError('too-many-streams');
    return { kind: 'hijack', take: (socket, rest, ended) => this.take(request, socket, rest, ended) };
  }

  private take(request: EventRequest, socket: Socket, rest: Buffer, ended: boolean): Hijacker {
    socket.once('close', () => this.open.give(request.instanceId));
    const attach: Attach = (sink) => this.attach(request, socket, sink);
    if (!request.websocket) return startPlainStream(socket, attach, ended || rest.length > 0);
    const { head, turn } = request;
    return startWebSocket({ socket, rest, ended, head, attach, turn, limits: this.limits });
  }

  private attach(request: EventRequest, socket: Socket, sink: EventSink): () => void {
    const end: EventSink['end'] = (why) => {
      feed.stop();
      sink.end(why);
    };
    const { instanceId } = request;
    const share: Share = {
      hasRoom: (bytes) => this.shares.hasRoom(instanceId, bytes),
      count: (bytes) => this.shares.count(instanceId, bytes),
    };
    const queue = new EventQueue({ ...sink, end }, this.limits, share);
    const feed = new EventFeed(this.source, request, queue);
    const detach = () => {
      feed.stop();
      queue.close();
    };
    socket.once('close', detach);
    feed.start();
    return detach;
  }
}
