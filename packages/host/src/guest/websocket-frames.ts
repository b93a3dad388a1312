const FIN = 0x80;
const RESERVED = 0x70;
const OPCODE = 0x0f;
const MASKED = 0x80;
const LENGTH = 0x7f;
/** Two bytes and the mask. */
const CLIENT_HEAD_BYTES = 6;
const CONTROL_BYTES_MAX = 125;

const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;

/** RFC 6455: the client has violated the protocol. */
const PROTOCOL_ERROR: Ending = { kind: 'broken', payload: codeOf(1002) };
const NO_BYTES = Buffer.alloc(0);

/** How a client ends the stream: with a close frame, with a message, or with bytes that are not a frame. */
export interface Ending {
  readonly kind: 'closed' | 'message' | 'broken';
  /** The payload of the close frame to answer with. */
  readonly payload: Buffer;
}

/** The contents of some bytes that a client sent. */
export interface Frames {
  /** The payload of the last ping; earlier pings need no answer. */
  readonly ping: Buffer | undefined;
  readonly pong: boolean;
  readonly ending: Ending | undefined;
}

/**
 * Reads the frames that a client sends on a stream of events. Only control frames are allowed. Each piece is
 * read in one pass and causes at most one answer, even if its frames are small.
 */
export class FrameReader {
  /** The beginning of a frame that is not complete yet. */
  #begun: Buffer = NO_BYTES;

  push(piece: Buffer): Frames {
    const bytes = this.#begun.length === 0 ? piece : Buffer.concat([this.#begun, piece]);
    let at = 0;
    let ping: Buffer | undefined;
    let pong = false;
    let ending: Ending | undefined;
    for (let next = 0; ending === undefined; at = next) {
      ending = faultAt(bytes, at);
      next = endOfFrame(bytes, at);
      if (ending !== undefined || next > bytes.length) break;
      const opcode = bytes[at]! & OPCODE;
      if (opcode === PING) ping = bytes.subarray(at, next);
      else if (opcode === PONG) pong = true;
      else ending = closing(unmasked(bytes.subarray(at, next)));
    }
    this.#begun = Buffer.from(bytes.subarray(at));
    return { ping: ping && unmasked(ping), pong, ending };
  }
}

/** Where the frame at `at` ends; infinity if not even its head is complete. */
function endOfFrame(bytes: Buffer, at: number): number {
  if (at + CLIENT_HEAD_BYTES > bytes.length) return Number.POSITIVE_INFINITY;
  return at + CLIENT_HEAD_BYTES + (bytes[at + 1]! & LENGTH);
}

/** The fault of the frame at `at`, as far as its bytes have come. */
function faultAt(bytes: Buffer, at: number): Ending | undefined {
  if (at + 1 >= bytes.length) return undefined;
  const [first, second] = [bytes[at]!, bytes[at + 1]!];
  const opcode = first & OPCODE;
  if ((first & RESERVED) !== 0 || (second & MASKED) === 0) return PROTOCOL_ERROR;
  if (opcode === TEXT || opcode === BINARY) return { kind: 'message', payload: NO_BYTES };
  if (opcode < CLOSE || opcode > PONG || (first & FIN) === 0) return PROTOCOL_ERROR;
  return (second & LENGTH) > CONTROL_BYTES_MAX ? PROTOCOL_ERROR : undefined;
}

/**
 * A close is answered with its own code. Without a code, or with one that may not be sent, the answer is as
 * RFC 6455 says.
 */
function closing(payload: Buffer): Ending {
  if (payload.length === 0) return { kind: 'closed', payload };
  if (payload.length === 1 || !mayBeSent(payload.readUInt16BE(0))) return PROTOCOL_ERROR;
  return { kind: 'closed', payload: payload.subarray(0, 2) };
}

function mayBeSent(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
}

function unmasked(frame: Buffer): Buffer {
  const payload = Buffer.from(frame.subarray(CLIENT_HEAD_BYTES));
  for (let at = 0; at < payload.length; at++) payload[at]! ^= frame[2 + (at & 3)]!;
  return payload;
}

/** The head of a text message of `length` bytes. */
export function textFrameHead(length: number): Buffer {
  if (length <= CONTROL_BYTES_MAX) return Buffer.from([FIN | TEXT, length]);
  const short = length < 2 ** 16;
  const head = Buffer.alloc(short ? 4 : 10);
  head[0] = FIN | TEXT;
  head[1] = short ? 126 : 127;
  if (short) head.writeUInt16BE(length, 2);
  else head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** A complete control frame. */
export function controlFrame(kind: 'close' | 'ping' | 'pong', payload: Buffer = NO_BYTES): Buffer {
  const opcode = { close: CLOSE, ping: PING, pong: PONG }[kind];
  return Buffer.concat([Buffer.from([FIN | opcode, payload.length]), payload]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: string): Buffer {
  return Buffer.concat([codeOf(code), Buffer.from(reason)]);
}

function codeOf(code: number): Buffer {
  return Buffer.from([code >> 8, code & 0xff]);
}
