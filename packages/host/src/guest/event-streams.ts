import type { Socket } from 'node:net';
import { type ServerOptions, WebSocketServer } from 'ws';
import type { StoredEvent } from '../core/model.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Hijacker, Reply } from '../http/response.ts';
import type { GuestBackend } from './backend.ts';
import { textError } from './errors.ts';
import { type Attach, EventQueue, type EventSink } from './event-queue.ts';
import { eventText } from './event-text.ts';
import { refuseHandshake } from './handshake.ts';
import { type Limits, WEBSOCKET_PAYLOAD_BYTES_MAX } from './limits.ts';
import { PerInstance } from './per-instance.ts';
import { startPlainStream } from './plain-stream.ts';
import { startWebSocket } from './websocket-stream.ts';

export interface EventRequest {
  readonly instanceId: number;
  readonly types: ReadonlySet<string>;
  readonly websocket: boolean;
  readonly head: RequestHead;
}

/** The event streams of all instances, over both transports. */
export class EventStreams {
  private readonly backend: Pick<GuestBackend, 'subscribe'>;
  private readonly limits: Limits;
  private readonly open: PerInstance;
  private readonly websockets: WebSocketServer;

  constructor(backend: Pick<GuestBackend, 'subscribe'>, limits: Limits) {
    this.backend = backend;
    this.limits = limits;
    this.open = new PerInstance(limits.eventStreams);
    this.websockets = new WebSocketServer(websocketOptions(limits));
  }

  /** The answer to `GET /1.0/events`. */
  answer(request: EventRequest): Reply {
    if (request.websocket) {
      const refusal = refuseHandshake(request.head.fields);
      if (refusal !== undefined) return refusal;
    }
    if (!this.open.take(request.instanceId)) return textError('too-many-streams');
    return { kind: 'hijack', take: (socket, rest, ended) => this.take(request, socket, rest, ended) };
  }

  private take(request: EventRequest, socket: Socket, rest: Buffer, ended: boolean): Hijacker {
    socket.once('close', () => this.open.give(request.instanceId));
    const attach: Attach = (sink) => this.attach(request, socket, sink);
    if (!request.websocket) return startPlainStream(socket, attach, ended || rest.length > 0);
    return startWebSocket(this.websockets, { socket, rest, head: request.head, attach, limits: this.limits });
  }

  private attach({ instanceId, types }: EventRequest, socket: Socket, sink: EventSink): () => void {
    const queue = new EventQueue(sink, this.limits);
    const unsubscribe = this.backend.subscribe(instanceId, (event) => {
      if (isForGuests(event) && types.has(event.type)) queue.push(eventText(event));
    });
    const detach = () => {
      unsubscribe();
      queue.close();
    };
    socket.once('close', detach);
    return detach;
  }
}

function websocketOptions(limits: Limits): ServerOptions & { readonly closeTimeout: number } {
  return {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // Answered by hand, so that a client that pings and never reads cannot fill our memory.
    autoPong: false,
    maxPayload: WEBSOCKET_PAYLOAD_BYTES_MAX,
    closeTimeout: limits.lingerTimeoutMs,
  };
}

/** Lifecycle events are the host's alone, whatever `type` asks for. */
function isForGuests(event: StoredEvent): boolean {
  return event.type === 'config' || event.type === 'device';
}
