/** A websocket frame (RFC 6455). */
export interface Frame {
  /** The first byte: FIN, the reserved bits and the opcode. */
  readonly first: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

export const FIN = 0x80;
export const RESERVED = 0x70;
export const OPCODES = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const MASKED = 0x80;

/** The bytes of a frame. */
export function frameBytes({ first, masked, payload }: Frame): Buffer {
  const { length } = payload;
  const mark = masked ? MASKED : 0;
  const head = length < 126 ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = first;
  head[1] = mark | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return masked ? Buffer.concat([head, MASK, unmasked(payload, MASK)]) : Buffer.concat([head, payload]);
}

/** Reads frames; `length` is how many bytes they take. Bytes after that are not a whole frame. */
export function readFrames(bytes: Buffer): { frames: Frame[]; length: number } {
  const frames: Frame[] = [];
  let at = 0;
  for (;;) {
    const found = readFrame(bytes.subarray(at));
    if (found === undefined) return { frames, length: at };
    frames.push(found.frame);
    at += found.length;
  }
}

function readFrame(bytes: Buffer): { frame: Frame; length: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 0x7f;
  const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
  const masked = (bytes[1]! & MASKED) !== 0;
  const start = 2 + lengthBytes + (masked ? MASK.length : 0);
  if (bytes.length < start) return undefined;
  const size =
    lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length - start < size) return undefined;
  const payload = bytes.subarray(start, start + size);
  const plain = masked ? unmasked(payload, bytes.subarray(start - MASK.length, start)) : payload;
  return { frame: { first: bytes[0]!, masked, payload: plain }, length: start + size };
}

function unmasked(payload: Buffer, mask: Buffer): Buffer {
  return Buffer.from(payload.map((byte, at) => byte ^ mask[at % mask.length]!));
}
