import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { STATUS_CODES } from '../base/node-http.ts';
import { errorEnvelope } from '../wire/envelope.ts';
import type { Failure } from './failures.ts';
import { WEBSOCKET_MESSAGE_BYTES_MAX } from './host-limits.ts';

/** A place for a websocket, taken before the handshake is answered. */
export interface Claim {
  /** Called in the same tick in which the handshake is answered. */
  open(socket: WebSocket): void;
  /** Settles when the handshake may be answered; absent: at once. */
  ready?(): Promise<void>;
  /** Called instead when the handshake is invalid. */
  drop(): void;
}

/** Makes the server side of websocket handshakes. Compression is never agreed on: LXD's client has none. */
export function createUpgrader() {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: WEBSOCKET_MESSAGE_BYTES_MAX,
  });
  /** Answers a handshake for which a place has been taken. */
  return (claim: Claim, request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    let opened = false;
    server.handleUpgrade(request, socket, head, (websocket) => {
      opened = true;
      claim.open(websocket);
    });
    if (!opened) claim.drop();
  };
}

/** Answers with an error on a connection that has no HTTP response object, and ends the connection. */
export function refuse(socket: Duplex, { status, message }: Failure): void {
  const body = JSON.stringify(errorEnvelope(status, message));
  socket.on('error', () => {});
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n` +
      'Content-Type: application/json\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}
