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

export const POSIX_MAGIC = 'ustar\0';
export const GNU_MAGIC = 'ustar  \0';
/** Tar of Unix version 7, and programs that imitate it: the header ends after the name of the link. */
const V7_MAGIC = '\0'.repeat(8);

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
  /** Whether it has fields of GNU tar where POSIX has the start of a long name. */
  readonly isGnu: boolean;
  /** All of its bytes. */
  readonly block: Buffer;
}

/** Decodes a block; null when it is all zeros: the end of an archive. @throws CodedError image-invalid */
export function decodeHeader(block: Buffer): RawHeader | null {
  if (block.every((byte) => byte === 0)) return null;
  const magic = block.toString('latin1', FIELD.magic[0], FIELD.magic[0] + FIELD.magic[1]);
  const posix = magic.startsWith(POSIX_MAGIC);
  const old = magic === V7_MAGIC;
  if (!posix && !old && magic !== GNU_MAGIC) throw invalidArchive('a header is not one of a tar archive');
  if (!isChecksumRight(block)) throw invalidArchive('the checksum of a header is wrong');
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
    major: old ? 0 : numberOf(block, 'major'),
    minor: old ? 0 : numberOf(block, 'minor'),
    isGnu: !posix && !old,
    block,
  };
}

/** Whether a block is a header, by its checksum: headers of version 7 have nothing else to recognise them. */
export function isHeader(block: Buffer): boolean {
  if (block.length < BLOCK_BYTES || block.every((byte) => byte === 0)) return false;
  try {
    return isChecksumRight(block);
  } catch {
    return false;
  }
}

/** Some old programs summed up signed bytes. */
function isChecksumRight(block: Buffer): boolean {
  const given = numberOf(block, 'checksum');
  return given === checksum(block) || given === checksum(block, { signed: true });
}

/** The sum of a header's bytes, with the checksum field counted as spaces. */
export function checksum(block: Buffer, { signed = false } = {}): number {
  const [start, length] = FIELD.checksum;
  let sum = ' '.charCodeAt(0) * length;
  for (let at = 0; at < BLOCK_BYTES; at++) {
    if (at < start || at >= start + length) sum += signed ? block.readInt8(at) : block[at]!;
  }
  return sum;
}

function textOf(block: Buffer, field: FieldName): string {
  const bytes = bytesOf(block, field);
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
}

function numberOf(block: Buffer, field: FieldName, options: { negative?: boolean } = {}): number {
  return decodeNumber(bytesOf(block, field), field, options);
}

/**
 * Octal digits, or GNU's base 256 for numbers that do not fit.
 * @param field what an error calls it
 * @throws CodedError image-invalid
 */
export function decodeNumber(bytes: Buffer, field: string, { negative = false } = {}): number {
  const first = bytes[0]!;
  if (first === 0x80 || first === 0xff) return base256(bytes, field, negative);
  const text = bytes
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .replace(/^ +/, '');
  if (!/^[0-7]*$/.test(text)) throw invalidArchive(`a header has the ${field} ${shown(text)}`);
  return text === '' ? 0 : Number.parseInt(text, 8);
}

function base256(bytes: Buffer, field: string, negative: boolean): number {
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
