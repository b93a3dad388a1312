import type { Agent } from 'node:http';
import { WebSocket } from 'ws';
import { messageOf } from '../base/coded-error.ts';
import type { EventType } from '../wire/event.ts';
import { MEMBER_EVENT_BYTES_MAX, STREAM_RETRY_MS, STREAMS_READY_MS } from './host-limits.ts';

/** Takes an event of another member. @param text as that member sends it */
export type TakeEvent = (type: EventType, text: string) => void;

export interface MemberStreamOptions {
  /** Connections to the member. @throws CodedError while it cannot be asked */
  readonly agent: () => Agent;
  readonly take: TakeEvent;
  /** Called when it cannot be opened, or breaks; not again before it has been open. */
  readonly failed: (reason: string) => void;
}

/** The event stream of one other member, which is opened again when it breaks. */
export class MemberStream {
  /** Settles when it is open, or could not be opened at the first try. */
  readonly ready: Promise<void>;
  readonly #options: MemberStreamOptions;
  readonly #tried = Promise.withResolvers<void>();
  #socket: WebSocket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;
  #hasFailed = false;

  constructor(options: MemberStreamOptions) {
    this.#options = options;
    this.ready = this.#tried.promise;
    this.#open();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#socket?.terminate();
    this.#tried.resolve();
  }

  #open(): void {
    try {
      const socket = new WebSocket('ws://member/1.0/events', {
        ...{ agent: this.#options.agent(), perMessageDeflate: false },
        ...{ maxPayload: MEMBER_EVENT_BYTES_MAX, handshakeTimeout: STREAMS_READY_MS },
      });
      this.#socket = socket;
      this.#follow(socket);
    } catch (error) {
      this.#broken(messageOf(error));
    }
  }

  #follow(socket: WebSocket): void {
    let reason = 'it has ended';
    socket.once('open', () => {
      this.#hasFailed = false;
      this.#tried.resolve();
    });
    socket.on('message', (data) => this.#take(String(data)));
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.once('close', () => this.#broken(reason));
  }

  #take(text: string): void {
    const type = typeOf(text);
    if (type !== undefined) this.#options.take(type, text);
  }

  #broken(reason: string): void {
    this.#tried.resolve();
    if (this.#stopped) return;
    if (!this.#hasFailed) this.#options.failed(reason);
    this.#hasFailed = true;
    this.#retry = setTimeout(() => this.#open(), STREAM_RETRY_MS);
  }
}

function typeOf(text: string): EventType | undefined {
  try {
    return (JSON.parse(text) as { readonly type: EventType }).type;
  } catch {
    return undefined;
  }
}
