import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Finding } from './target.ts';

/** All limits of the daemon that can end a connection are far below, also on a busy machine. */
const DEADLINE_MS = 15_000;

/** What came back on a connection. */
export interface Exchanged {
  /** One character per byte. */
  readonly received: string;
  /** The server had closed before all was sent: of its last answers some may not have been read. */
  readonly cutShort: boolean;
}

/**
 * Sends pieces, each on its own, closes our half, and gives all that comes back until the server has closed.
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

/** Writes, and waits a turn, so that the piece is on its way alone. */
async function send(socket: ReturnType<typeof connect>, piece: Buffer): Promise<void> {
  await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
  await nextTurn();
}

/** Whether two exchanges can be the same one; of one that was cut short the beginning counts. */
export function areAlike(one: Exchanged, other: Exchanged): boolean {
  const [before, behind] = [withoutSwitch(one.received), withoutSwitch(other.received)];
  if (before === behind) return true;
  return (one.cutShort && behind.startsWith(before)) || (other.cutShort && before.startsWith(behind));
}

/**
 * Without a websocket at the end: our half is closed by then, so there is no use in it, and the connection may
 * as well end, which depends on what was known first.
 */
function withoutSwitch(received: string): string {
  return received.replace(/HTTP\/1\.1 101 [\s\S]*$/, '');
}

/** Without what depends on time and chance, and on whether a body was there already when its head was read. */
function comparable(received: string): string {
  const text = received
    .replaceAll(/Date: [^\r]+/g, 'Date: D')
    .replaceAll('HTTP/1.1 100 Continue\r\n\r\n', '');
  const boundaries = [...text.matchAll(/boundary=([0-9a-f]{60})/g)].map((match) => match[1]!);
  return boundaries.reduce((rest, boundary) => rest.replaceAll(boundary, 'B'.repeat(boundary.length)), text);
}
