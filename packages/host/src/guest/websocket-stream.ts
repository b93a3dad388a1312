import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { CLOSE_FRAMES, type EndReason, unsentBytes } from '../base/sockets.ts';
import { FEED_ENDS } from '../events/ends.ts';
import { Pings } from '../events/pings.ts';
import type { Turn } from '../http/fair-turns.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Hijacker } from '../http/response.ts';
import type { Attach, EventSink } from './event-queue.ts';
import type { Limits } from './guest-limits.ts';
import { closePayload, controlFrame, type Ending, FrameReader, textFrameHead } from './websocket-frames.ts';

export interface WebSocketStart {
  readonly socket: Socket;
  /** Bytes that the client has sent after its handshake. */
  readonly rest: Buffer;
  /** The client has already closed its side. */
  readonly ended: boolean;
  readonly head: RequestHead;
  readonly attach: Attach;
  readonly limits: Limits;
  readonly turn: Turn;
}

/** RFC 6455: the client's key and this suffix give `Sec-WebSocket-Accept`. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Sends events as text messages. The handshake has already been checked. */
export function startWebSocket(start: WebSocketStart): Hijacker {
  const { socket, rest, ended, head } = start;
  socket.write(acceptance(head.fields.websocketKey ?? ''));
  if (ended) {
    socket.end();
    return { close: () => void socket.destroy() };
  }
  const stream = new WebSocketStream(start);
  if (rest.length > 0) stream.take(rest);
  return stream;
}

/** Agrees on no subprotocol and no extension. */
function acceptance(key: string): string {
  const accept = createHash('sha1').update(key).update(ACCEPT_SUFFIX).digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** One open websocket: events go out, control frames come in. */
class WebSocketStream implements Hijacker {
  readonly #socket: Socket;
  readonly #limits: Limits;
  readonly #frames = new FrameReader();
  readonly #pings: NodeJS.Timeout;
  #detach = (): void => {};
  readonly #unanswered = new Pings();
  #closing = false;

  constructor({ socket, attach, limits, turn }: WebSocketStart) {
    this.#socket = socket;
    this.#limits = limits;
    this.#pings = setInterval(() => this.#ping(), limits.pingIntervalMs);
    socket.once('close', () => clearInterval(this.#pings));
    socket.once('end', () => this.#finish());
    readInTurns(socket, turn, (piece) => this.take(piece));
    this.#ping();
    this.#detach = attach({
      write: (bytes, done) => this.#send(bytes, done),
      end: (why) => {
        const [code, reason] = FEED_ENDS[why];
        this.#finish(closePayload(code, reason));
      },
    });
  }

  close(reason: EndReason): void {
    this.#detach();
    // The kernel has the close frame, or the client does not read: there is nothing to wait for.
    if (!this.#closing) this.#socket.write(controlFrame('close', closePayload(...CLOSE_FRAMES[reason])));
    this.#socket.destroy();
  }

  /** Takes bytes that the client has sent. */
  take(piece: Buffer): void {
    if (this.#closing) return;
    const { ping, pong, ending } = this.#frames.push(piece);
    if (pong) this.#unanswered.answered();
    // A pong is sent only when nothing waits: a client that pings and never reads must not fill the memory.
    if (ping !== undefined && unsentBytes(this.#socket) === 0) this.#socket.write(controlFrame('pong', ping));
    if (ending !== undefined) this.#obey(ending);
  }

  #obey({ kind, payload }: Ending): void {
    this.#detach();
    if (kind === 'message') this.#socket.destroy();
    else this.#finish(payload);
  }

  readonly #send: EventSink['write'] = (bytes, done) => {
    const socket = this.#socket;
    socket.cork();
    socket.write(textFrameHead(bytes.length));
    socket.write(bytes, done);
    socket.uncork();
  };

  /**
   * Sends a close frame after the waiting events. If the reader does not take them in time, cuts the
   * connection.
   */
  #finish(payload?: Buffer): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#detach();
    clearInterval(this.#pings);
    this.#socket.end(payload === undefined ? '' : controlFrame('close', payload));
    const timer = setTimeout(() => this.#socket.destroy(), this.#limits.lingerTimeoutMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** Sends a ping, at once and then regularly; ends the connection when too many stay unanswered. */
  #ping(): void {
    if (this.#unanswered.next() === 'end') this.#socket.destroy();
    else this.#socket.write(controlFrame('ping'));
  }
}

/** Gives bytes that come in to `take` when it is the turn of their owner; until then nothing more is read. */
function readInTurns(socket: Socket, turn: Turn, take: (piece: Buffer) => void): void {
  socket.on('data', (piece: Buffer) => {
    let taken = false;
    turn(() => {
      taken = true;
      if (socket.destroyed) return;
      take(piece);
      socket.resume();
    });
    if (!taken) socket.pause();
  });
}
