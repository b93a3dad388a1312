import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FIN, frameBytes, OPCODES, readFrames } from './frames.ts';
import { Finding, mustHold } from './target.ts';

/** Far above any delay of an answer; ends a wait that would last for ever. */
const DEADLINE_MS = 15_000;
const HEAD_END = '\r\n\r\n';
const CLOSE = frameBytes({ first: FIN | OPCODES.close, masked: true, payload: Buffer.alloc(0) });

/** The bytes of a handshake. */
function handshake(path: string): Buffer {
  const lines = [
    ...[`GET ${path} HTTP/1.1`, 'Host: lxd', 'Connection: Upgrade', 'Upgrade: websocket'],
    ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', '', ''],
  ];
  return Buffer.from(lines.join('\r\n'));
}

/** A websocket client that sends any bytes. It hangs up when the server closes. */
export class WebsocketClient {
  readonly #socket: Socket;
  readonly #closed = Promise.withResolvers<void>();
  readonly #opened = Promise.withResolvers<void>();
  #received = Buffer.alloc(0);

  /** @param first bytes sent in one write with the handshake */
  constructor(socketPath: string, path: string, first: Buffer = Buffer.alloc(0)) {
    this.#socket = connect({ path: socketPath, allowHalfOpen: true });
    this.#opened.promise.catch(() => {});
    this.#socket.on('error', () => {});
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    const end = () => {
      this.#opened.reject(new Finding('a handshake is not answered'));
      this.#closed.resolve();
    };
    this.#socket.on('end', end).on('close', end);
    this.#socket.write(Buffer.concat([handshake(path), first]));
  }

  /** Waits for the handshake's answer. @throws Finding when it is not 101 */
  async opened(): Promise<void> {
    await within(this.#opened.promise, 'a handshake is not answered');
    mustHold(
      this.#received.subarray(0, 12).toString() === 'HTTP/1.1 101',
      'a handshake is refused',
      this.#text(),
    );
  }

  /** Sends pieces, each on its own. */
  async send(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      if (this.#socket.destroyed || piece.length === 0) continue;
      await new Promise<void>((resolve) => this.#socket.write(piece, () => resolve()));
      await nextTurn();
    }
  }

  /** The server's close code; `empty` for a close frame without one; `none` without a close frame. */
  get closeCode(): string {
    const close = readFrames(this.#frames()).frames.find(({ first }) => (first & 0xf) === OPCODES.close);
    if (close === undefined) return 'none';
    return close.payload.length < 2 ? 'empty' : String(close.payload.readUInt16BE(0));
  }

  /** Closes the sending half. */
  end(): void {
    this.#socket.end();
  }

  /**
   * Waits until the server hangs up.
   * @returns the payloads of its messages
   * @throws Finding for a malformed frame
   */
  async closed(): Promise<Buffer[]> {
    await within(this.#closed.promise, 'a websocket does not end');
    this.#socket.destroy();
    return checkedFrames(this.#frames());
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    if (this.#received.includes(HEAD_END)) this.#opened.resolve();
    const { frames } = readFrames(this.#frames());
    if (frames.some(({ first }) => (first & 0xf) === OPCODES.close)) this.#socket.end(CLOSE);
  }

  #frames(): Buffer {
    return this.#received.subarray(this.#received.indexOf(HEAD_END) + HEAD_END.length);
  }

  #text(): string {
    return this.#received.toString('latin1');
  }
}

/** @returns the payloads of messages, in order */
function checkedFrames(bytes: Buffer): Buffer[] {
  const { frames } = readFrames(bytes);
  const known: readonly number[] = Object.values(OPCODES);
  for (const { first, masked, payload } of frames) {
    const isControl = (first & 0x8) !== 0;
    mustHold(
      !masked && (first & 0x70) === 0 && known.includes(first & 0xf),
      'the server sends a malformed frame',
    );
    mustHold(
      !isControl || (payload.length < 126 && (first & FIN) !== 0),
      'the server sends a long control frame',
    );
  }
  const close = frames.findIndex(({ first }) => (first & 0xf) === OPCODES.close);
  mustHold(close === -1 || close === frames.length - 1, 'the server sends frames behind its close');
  return frames.filter(({ first }) => (first & 0xf) <= OPCODES.binary).map(({ payload }) => payload);
}

async function within(promise: Promise<void>, message: string): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Finding(message)), DEADLINE_MS);
  try {
    await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
