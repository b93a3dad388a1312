import type { Random } from './random.ts';

/** Cases do not grow beyond this, so that each stays fast. */
const CASE_BYTES_MAX = 64 * 1024;

/** Bytes with a meaning in some format. */
const TELLING = [0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x25, 0x2c, 0x2e, 0x2f, 0x3a, 0x3b, 0x7f, 0x80, 0xff];
/** Numbers at the limits of number types, and odd notations. */
export const TELLING_NUMBERS = [
  ...[
    '-1',
    '0',
    '00',
    '1',
    '7f',
    '255',
    '256',
    '65535',
    '65536',
    '2147483648',
    '4294967296',
    '1e3',
    '0x10',
    '+5',
  ],
  ...['9007199254740993', '18446744073709551616', '99999999999999999999'],
] as const;
const RUN_MAX = 300;
const COPY_MAX = 64;

type Mutation = (bytes: Buffer, random: Random, other: Buffer) => Buffer;

const flip: Mutation = (bytes, random) => {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[random.below(copy.length)]! ^= 1 << random.below(8);
  return copy;
};

const put: Mutation = (bytes, random) => {
  const at = random.below(bytes.length + 1);
  const byte = random.percent(60) ? random.pick(TELLING) : random.below(256);
  return replaced(
    bytes,
    at,
    random.below(2),
    Buffer.alloc(random.percent(10) ? random.short(RUN_MAX) : 1, byte),
  );
};

const remove: Mutation = (bytes, random) =>
  replaced(bytes, random.below(bytes.length + 1), 1 + random.short(COPY_MAX), Buffer.alloc(0));

const repeat: Mutation = (bytes, random) => {
  const from = random.below(bytes.length + 1);
  const piece = bytes.subarray(from, from + 1 + random.short(COPY_MAX));
  return replaced(bytes, random.below(bytes.length + 1), 0, piece);
};

const cutOff: Mutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1));

const number: Mutation = (bytes, random) => {
  const runs = [...bytes.toString('latin1').matchAll(/\d+/g)];
  if (runs.length === 0) return put(bytes, random, bytes);
  const { 0: digits, index } = random.pick(runs);
  return replaced(bytes, index, digits.length, Buffer.from(random.pick(TELLING_NUMBERS)));
};

const splice: Mutation = (bytes, random, other) => {
  const from = random.below(other.length + 1);
  const piece = other.subarray(from, from + 1 + random.below(other.length));
  return replaced(bytes, random.below(bytes.length + 1), random.short(COPY_MAX), piece);
};

const MUTATIONS = [flip, put, put, remove, repeat, cutOff, number, splice] as const;

/** Changes a few bytes at random; `other` is another case, whose pieces may be copied. */
export function mutateBytes(bytes: Buffer, random: Random, other: Buffer): Buffer {
  let mutated = bytes;
  for (let count = 1 + random.short(4); count > 0; count--) {
    mutated = random.pick(MUTATIONS)(mutated, random, other);
  }
  return mutated.subarray(0, CASE_BYTES_MAX);
}

/** Replaces `count` bytes at `at`. */
export function replaced(bytes: Buffer, at: number, count: number, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + count)]);
}

/** A few places in `length` bytes, ascending, at which writes end. */
export function cutsFor(length: number, random: Random, max = 4): number[] {
  const places = Array.from({ length: random.below(max + 1) }, () => random.below(length + 1));
  return [...new Set(places)].sort((one, other) => one - other);
}

/** The pieces between the cuts. */
export function piecesOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.filter((cut) => cut <= bytes.length), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}
