import { WebSocket } from 'ws';
import type { Log } from '../base/log.ts';
import { hostError } from '../core/errors.ts';
import type { HostBackend } from '../ops/api.ts';
import type { HostEvent } from '../ops/events.ts';
import type { EventJson, EventType } from '../wire/event.ts';
import { EVENT_LISTENERS_MAX, EVENT_QUEUE_BYTES_MAX, KEEPALIVE_MS } from './limits.ts';
import { operationJson } from './operation-json.ts';
import type { Claim } from './upgrade.ts';

interface Listener {
  readonly types: ReadonlySet<EventType>;
  /** Events from before the handshake was answered. */
  readonly early: string[];
  socket: WebSocket | undefined;
}

/** The listeners of GET /1.0/events. */
export class EventStreams {
  readonly #backend: HostBackend;
  readonly #log: Log;
  readonly #listeners = new Set<Listener>();
  #stop = () => {};

  constructor(backend: HostBackend, log: Log) {
    this.#backend = backend;
    this.#log = log;
  }

  /** Begins to follow the daemon's events. */
  start(): void {
    const unsubscribe = this.#backend.subscribe((event) => this.#publish(event));
    const keepalive = setInterval(() => this.#ping(), KEEPALIVE_MS).unref();
    this.#stop = () => {
      unsubscribe();
      clearInterval(keepalive);
    };
  }

  /**
   * Makes a listener that misses nothing from now on, also while the handshake is not answered yet: an
   * operation that ends in between would leave its client waiting for ever.
   * @throws CodedError 503 when there are too many
   */
  claim(types: ReadonlySet<EventType>): Claim {
    if (this.#listeners.size >= EVENT_LISTENERS_MAX) {
      throw hostError('too-many-listeners');
    }
    const listener: Listener = { types, early: [], socket: undefined };
    this.#listeners.add(listener);
    const drop = () => {
      this.#listeners.delete(listener);
    };
    return { open: (socket) => open(listener, socket, drop), drop };
  }

  /** Ends all streams. */
  stop(): void {
    this.#stop();
    for (const { socket } of this.#listeners) socket?.close(1001);
  }

  /** Cuts those that have not taken note of the end. */
  cut(): void {
    for (const { socket } of this.#listeners) socket?.terminate();
  }

  #publish(event: HostEvent): void {
    let message: string | undefined;
    for (const listener of this.#listeners) {
      if (!listener.types.has(event.type)) continue;
      message ??= JSON.stringify(eventJson(event));
      this.#send(listener, message);
    }
  }

  #send(listener: Listener, message: string): void {
    const { socket } = listener;
    if (!socket) {
      listener.early.push(message);
      return;
    }
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(message);
    if (socket.bufferedAmount <= EVENT_QUEUE_BYTES_MAX) return;
    this.#log.warn({ waitingBytes: socket.bufferedAmount }, 'event listener is too slow and was cut off');
    socket.terminate();
  }

  #ping(): void {
    for (const { socket } of this.#listeners) if (socket?.readyState === WebSocket.OPEN) ping(socket);
  }
}

function open(listener: Listener, socket: WebSocket, drop: () => void): void {
  listener.socket = socket;
  socket.on('error', () => {});
  socket.once('close', drop);
  ping(socket);
  for (const message of listener.early.splice(0)) socket.send(message);
}

function ping(socket: WebSocket): void {
  socket.ping('keepalive');
}

/** An event as the API shows it. */
export function eventJson(event: HostEvent): EventJson {
  const head = { type: event.type, timestamp: event.timestamp, location: 'none' };
  if (event.type === 'operation')
    return { ...head, project: 'default', metadata: operationJson(event.metadata) };
  const { context, ...metadata } = event.metadata;
  const shown = context && Object.keys(context).length > 0 ? { ...metadata, context } : metadata;
  const json = { ...head, metadata: shown as EventJson['metadata'] };
  return event.type === 'logging' ? json : { ...json, project: 'default' };
}
