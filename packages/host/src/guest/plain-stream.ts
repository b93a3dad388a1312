import type { Socket } from 'node:net';
import type { Hijacker } from '../http/response.ts';
import type { Attach } from './event-queue.ts';

/** LXD's header lines, with CRLF where it sends a bare LF that strict clients refuse; HTTP/1.1 for all. */
const HEAD = [
  'HTTP/1.1 200 OK',
  'Connection: keep-alive',
  'Content-Type: application/json',
  'X-Content-Type-Options: nosniff',
  '\r\n',
].join('\r\n');

/** Sends events as lines. Any byte from the client, or its half-close, ends the stream. */
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
