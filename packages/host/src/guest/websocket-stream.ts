import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket, WebSocketServer } from 'ws';
import { CLOSE_FRAMES, type EndReason } from '../base/sockets.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Hijacker } from '../http/response.ts';
import { type Attach, READER_ENDS } from './event-queue.ts';
import { type Limits, PINGS_UNANSWERED_MAX } from './limits.ts';

export interface WebSocketStart {
  readonly socket: Socket;
  /** What the client has sent behind its handshake. */
  readonly rest: Buffer;
  readonly head: RequestHead;
  readonly attach: Attach;
  readonly limits: Limits;
}

/** Sends events as text messages, after a handshake that has been checked already. */
export function startWebSocket(server: WebSocketServer, start: WebSocketStart): Hijacker {
  const { socket, rest, head, attach, limits } = start;
  let close = (_reason: EndReason): void => {
    socket.destroy();
  };
  // Without the client's subprotocols and extensions: none is ever agreed on.
  const request = {
    method: 'GET',
    headers: {
      upgrade: 'websocket',
      'sec-websocket-key': head.fields.websocketKey,
      'sec-websocket-version': '13',
    },
  };
  server.handleUpgrade(request as unknown as IncomingMessage, socket, rest, (websocket) => {
    close = serve(websocket, attach, limits);
  });
  return { close: (reason) => close(reason) };
}

function serve(websocket: WebSocket, attach: Attach, limits: Limits): (reason: EndReason) => void {
  const detach = attach({
    write: (text, done) => websocket.send(text, done),
    // It stands behind what the reader has not taken; when it is not answered in time, the socket goes.
    end: (why) => {
      const [code, reason] = READER_ENDS[why];
      websocket.close(code, reason);
    },
  });
  websocket.on('error', () => {});
  websocket.on('message', () => websocket.terminate());
  websocket.on('close', detach);
  websocket.on('ping', (payload) => {
    if (websocket.bufferedAmount === 0) websocket.pong(payload);
  });
  keepAlive(websocket, limits.pingIntervalMs);
  return (reason) => {
    detach();
    websocket.close(...CLOSE_FRAMES[reason]);
    // The frame is with the kernel, or the client does not read: either way we are done.
    websocket.terminate();
  };
}

/** Pings at once and then regularly; ends the connection when too many stay unanswered. */
function keepAlive(websocket: WebSocket, intervalMs: number): void {
  let unanswered = 0;
  const ping = () => {
    if (unanswered >= PINGS_UNANSWERED_MAX) {
      websocket.terminate();
      return;
    }
    unanswered++;
    websocket.ping();
  };
  const timer = setInterval(ping, intervalMs);
  websocket.on('pong', () => {
    unanswered = 0;
  });
  websocket.on('close', () => clearInterval(timer));
  ping();
}
