import { invalidArchive, shown } from './archive-error.ts';

/** Bytes of a header; bodies are padded to a multiple of it. */
export const BLOCK_BYTES = 512;

/** The fields of a header as [offset, length]. POSIX.1-1988 ustar; GNU's variant has no prefix. */
export const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkName: [157, 100],
  magic: [257, 8],
  major: [329, 8],
  minor: [337, 8],
  prefix: [345, 155],
} as const satisfies Record<string, readonly [number, number]>;

export type FieldName = keyof typeof FIELD;

const POSIX_MAGIC = 'ustar\0';
export const GNU_MAGIC = 'ustar  \0';

/** A header block as it is, with names as latin1 texts: one character per byte. */
export interface RawHeader {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly type: string;
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
}

/** Decodes a block; null when it is all zeros: the end of an archive. @throws CodedError image-invalid */
export function decodeHeader(block: Buffer): RawHeader | null {
  if (block.every((byte) => byte === 0)) return null;
  const magic = block.toString('latin1', FIELD.magic[0], FIELD.magic[0] + FIELD.magic[1]);
  const posix = magic.startsWith(POSIX_MAGIC);
  if (!posix && magic !== GNU_MAGIC) throw invalidArchive('a header is not one of a tar archive');
  if (numberOf(block, 'checksum') !== checksum(block))
    throw invalidArchive('the checksum of a header is wrong');
  const prefix = posix ? textOf(block, 'prefix') : '';
  const name = textOf(block, 'name');
  return {
    name: prefix ? `${prefix}/${name}` : name,
    mode: numberOf(block, 'mode'),
    uid: numberOf(block, 'uid'),
    gid: numberOf(block, 'gid'),
    size: numberOf(block, 'size'),
    mtime: numberOf(block, 'mtime', { negative: true }),
    type: block.toString('latin1', FIELD.type[0], FIELD.type[0] + 1),
    linkName: textOf(block, 'linkName'),
    major: numberOf(block, 'major'),
    minor: numberOf(block, 'minor'),
  };
}

/** The sum of a header's bytes, with the checksum field counted as spaces. */
export function checksum(block: Buffer): number {
  const [start, length] = FIELD.checksum;
  let sum = ' '.charCodeAt(0) * length;
  for (let at = 0; at < BLOCK_BYTES; at++) {
    if (at < start || at >= start + length) sum += block[at]!;
  }
  return sum;
}

function textOf(block: Buffer, field: FieldName): string {
  const bytes = bytesOf(block, field);
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
}

/** Octal digits, or GNU's base 256 for numbers that do not fit. */
function numberOf(block: Buffer, field: FieldName, { negative = false } = {}): number {
  const bytes = bytesOf(block, field);
  const first = bytes[0]!;
  if (first === 0x80 || first === 0xff) return base256(bytes, field, negative);
  const text = bytes
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .replace(/^ +/, '');
  if (!/^[0-7]*$/.test(text)) throw invalidArchive(`a header has the ${field} ${shown(text)}`);
  return text === '' ? 0 : Number.parseInt(text, 8);
}

function base256(bytes: Buffer, field: FieldName, negative: boolean): number {
  let value = bytes[0] === 0xff ? -1n : 0n;
  for (const byte of bytes.subarray(1)) value = (value << 8n) | BigInt(byte);
  const isSafe = value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER);
  if (!isSafe || (value < 0n && !negative)) throw invalidArchive(`a header has the ${field} ${value}`);
  return Number(value);
}

function bytesOf(block: Buffer, field: FieldName): Buffer {
  const [start, length] = FIELD[field];
  return block.subarray(start, start + length);
}
