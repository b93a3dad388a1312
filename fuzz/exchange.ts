import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Finding } from './target.ts';

/** Far above all limits of the daemon that can end a connection, also on a busy machine. */
const DEADLINE_MS = 15_000;

/** The bytes that came back on a connection. */
export interface Exchanged {
  /** One character per byte. */
  readonly received: string;
  /** The server closed before all was sent: its last answers may be missing. */
  readonly cutShort: boolean;
}

/**
 * Sends each piece on its own, closes the sending half, and returns all bytes until the server closes.
 * @throws Finding when the server does not close
 */
export async function exchange(path: string, pieces: readonly Buffer[]): Promise<Exchanged> {
  const socket = connect({ path, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  const over = Promise.withResolvers<void>();
  let [isOver, cutShort] = [false, false];
  const end = () => {
    isOver = true;
    over.resolve();
  };
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {
    cutShort = true;
  });
  socket.on('end', end).on('close', end);
  const timer = setTimeout(() => over.reject(new Finding('the connection does not end')), DEADLINE_MS);
  try {
    for (const piece of pieces) if (!isOver && piece.length > 0) await send(socket, piece);
    socket.end();
    await over.promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
  return { received: comparable(Buffer.concat(chunks).toString('latin1')), cutShort };
}

/** Writes a piece and waits a turn of the event loop, so that the piece is sent alone. */
async function send(socket: ReturnType<typeof connect>, piece: Buffer): Promise<void> {
  await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
  await nextTurn();
}

/** Whether two exchanges got the same bytes; one that was cut short need only be a beginning of the other. */
export function areAlike(one: Exchanged, other: Exchanged): boolean {
  const [before, behind] = [withoutSwitch(one.received), withoutSwitch(other.received)];
  if (before === behind) return true;
  return (one.cutShort && behind.startsWith(before)) || (other.cutShort && before.startsWith(behind));
}

/**
 * Leaves out an upgrade to a websocket at the end. The client's half is closed by then, so the server may
 * upgrade or end the connection, depending on what it reads first.
 */
function withoutSwitch(received: string): string {
  return received.replace(/HTTP\/1\.1 101 [\s\S]*$/, '');
}

/**
 * Leaves out the parts that depend on time, on chance, or on whether a body arrived together with its head.
 */
function comparable(received: string): string {
  const text = received
    .replaceAll(/Date: [^\r]+/g, 'Date: D')
    .replaceAll('HTTP/1.1 100 Continue\r\n\r\n', '');
  const boundaries = [...text.matchAll(/boundary=([0-9a-f]{60})/g)].map((match) => match[1]!);
  return boundaries.reduce((rest, boundary) => rest.replaceAll(boundary, 'B'.repeat(boundary.length)), text);
}
