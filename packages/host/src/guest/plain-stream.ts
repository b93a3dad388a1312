import type { Socket } from 'node:net';
import type { Hijacker } from '../http/response.ts';
import type { Attach } from './event-queue.ts';

/** LXD's header lines, with CRLF where LXD sends a bare LF, which strict clients refuse. Always HTTP/1.1. */
const HEAD = [
  'HTTP/1.1 200 OK',
  'Connection: keep-alive',
  'Content-Type: application/json',
  'X-Content-Type-Options: nosniff',
  '\r\n',
].join('\r\n');

/**
 * Sends events as lines. Any byte from the client, or its half-close, ends the stream.
 * @param spoken the client has already done one of these
 */
export function startPlainStream(socket: Socket, attach: Attach, spoken: boolean): Hijacker {
  socket.write(HEAD);
  if (spoken) {
    socket.destroy();
    return { close: () => {} };
  }
  const detach = attach({
    write: (bytes, done) => void socket.write(bytes, done),
    end: () => socket.destroy(),
  });
  const close = () => {
    detach();
    socket.destroy();
  };
  socket.once('data', close);
  socket.once('end', close);
  return { close };
}
