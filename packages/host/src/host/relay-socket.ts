import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CodedError } from '../base/coded-error.ts';
import { request as send } from '../base/node-http.ts';
import { hostError } from '../core/host-errors.ts';
import { CLOSE_TIMEOUT_MS } from './host-limits.ts';
import type { Destination } from './relay.ts';
import { endToEnd, relayedHeaders } from './relay-headers.ts';

/**
 * Passes the handshake of a websocket on to another member, and then all bytes in both directions, each at the pace at
 * which the other side takes them.
 * @param head bytes of the client that came with the handshake
 * @param signal ends both sides when it aborts
 * @returns settles when both sides have ended
 * @throws member-offline, member-refused, member-lost, client-gone; then nothing has been answered
 */
export async function relayUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { member, agent, by }: Destination,
  signal: AbortSignal,
): Promise<void> {
  // It tells only once that it is closed.
  if (socket.destroyed) throw hostError('client-gone');
  const headers = [
    ...relayedHeaders(request.rawHeaders, by),
    'Connection',
    'Upgrade',
    'Upgrade',
    'websocket',
  ];
  const outgoing = send({ agent, method: 'GET', path: request.url, headers, signal, setHost: false });
  const cut = () => outgoing.destroy();
  socket.once('close', cut);
  outgoing.end();
  try {
    const { answer, upstream, first } = await answerOf(outgoing);
    socket.write(
      headOf(answer, upstream ? ['Connection', 'Upgrade', 'Upgrade', 'websocket'] : ['Connection', 'close']),
    );
    if (!upstream) await passRefusal(answer, socket);
    else await join(socket, upstream, { head, first, signal });
  } catch (error) {
    throw error instanceof CodedError ? error : hostError('member-lost', member);
  } finally {
    socket.off('close', cut);
  }
}

interface Answered {
  readonly answer: IncomingMessage;
  /** The websocket; undefined if the handshake is refused. */
  readonly upstream?: Duplex;
  /** Its bytes that came with the answer. */
  readonly first: Buffer;
}

function answerOf(outgoing: ClientRequest): Promise<Answered> {
  return new Promise((resolve, reject) => {
    outgoing.once('upgrade', (answer, upstream, first) => resolve({ answer, upstream, first }));
    outgoing.once('response', (answer) => resolve({ answer, first: Buffer.alloc(0) }));
    outgoing.on('error', reject);
    outgoing.once('close', () => reject(new Error('closed')));
  });
}

function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage, more: readonly string[]): string {
  const headers = [...endToEnd(rawHeaders), ...more];
  const lines = Array.from(
    { length: headers.length / 2 },
    (_, at) => `${headers[2 * at]}: ${headers[2 * at + 1]}\r\n`,
  );
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}\r\n`;
}

interface Joint {
  /** First bytes of the client. */
  readonly head: Buffer;
  /** First bytes of the member. */
  readonly first: Buffer;
  readonly signal: AbortSignal;
}

async function join(socket: Duplex, upstream: Duplex, { head, first, signal }: Joint): Promise<void> {
  const cut = () => {
    socket.destroy();
    upstream.destroy();
  };
  signal.addEventListener('abort', cut);
  const ends = [socket, upstream].map((side) => new Promise((resolve) => side.once('close', resolve)));
  upstream.on('error', () => socket.destroy());
  socket.on('error', () => upstream.destroy());
  endAfter(upstream, socket);
  endAfter(socket, upstream);
  if (first.length > 0) socket.write(first);
  if (head.length > 0) upstream.write(head);
  socket.pipe(upstream);
  upstream.pipe(socket);
  if (signal.aborted) cut();
  await Promise.all(ends);
  signal.removeEventListener('abort', cut);
}

/** Ends one side after the other: what is on its way to a slow reader still arrives. */
function endAfter(first: Duplex, second: Duplex): void {
  first.once('close', () => {
    if (!first.readableEnded) {
      second.destroy();
      return;
    }
    second.end(() => {
      const timer = setTimeout(() => second.destroy(), CLOSE_TIMEOUT_MS);
      second.once('close', () => clearTimeout(timer));
    });
  });
}

async function passRefusal(answer: IncomingMessage, socket: Duplex): Promise<void> {
  const over = new Promise((resolve) => socket.once('close', resolve));
  answer.on('error', () => socket.destroy());
  answer.pipe(socket);
  await over;
}
