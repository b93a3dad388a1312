import { hostError } from './host-errors.ts';

const BYTE_UNITS: ReadonlyMap<string, number> = unitsOf('B', ['', 'B']);
const BIT_UNITS: ReadonlyMap<string, number> = unitsOf('bit', ['', 'bit']);

/**
 * The number of bytes of a size in LXD's notation: digits and one of B, kB, MB, GB, TB, PB, EB (powers of
 * 1000) or KiB, MiB, GiB, TiB, PiB, EiB (powers of 1024). Without a unit, the number is in bytes.
 * @throws bad-request for anything else, also for a size above 2^53 - 1
 */
export function parseBytes(text: string): number {
  return parse(text, BYTE_UNITS, 'size');
}

/**
 * Bits per second of a rate in LXD's notation: digits and one of bit, kbit, Mbit ... Ebit, Kibit ... Eibit.
 * @throws bad-request like {@link parseBytes}
 */
export function parseBits(text: string): number {
  return parse(text, BIT_UNITS, 'rate');
}

/** The value of `limits.memory`: a size, or a percentage of the host's memory. */
export type MemoryLimit = { readonly bytes: number } | { readonly percent: number };

/** @throws bad-request for a text that is neither a positive size nor a percentage from 1 to 100 */
export function parseMemoryLimit(text: string): MemoryLimit {
  const percent = /^(\d{1,3})%$/.exec(text)?.[1];
  const limit = percent === undefined ? { bytes: parseBytes(text) } : { percent: Number(percent) };
  const amount = 'bytes' in limit ? limit.bytes : limit.percent;
  if (amount === 0) throw hostError('bad-request', "Memory limit can't be 0");
  if ('percent' in limit && limit.percent > 100) {
    throw hostError('bad-request', `Invalid memory limit "${text}", must be at most 100%`);
  }
  return limit;
}

function unitsOf(base: string, ones: readonly string[]): ReadonlyMap<string, number> {
  const units = new Map(ones.map((one) => [one, 1]));
  for (const [index, prefix] of ['k', 'M', 'G', 'T', 'P', 'E'].entries()) {
    units.set(`${prefix}${base}`, 1000 ** (index + 1));
    units.set(`${prefix.toUpperCase()}i${base}`, 1024 ** (index + 1));
  }
  return units;
}

/** More digits than any accepted number has. */
const DIGITS_MAX = 20;

function parse(text: string, units: ReadonlyMap<string, number>, what: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = units.get(unit);
  const value = digits.length > DIGITS_MAX ? Number.NaN : Number(digits) * (factor ?? Number.NaN);
  if (digits === '' || !Number.isSafeInteger(value))
    throw hostError('bad-request', `Invalid ${what} "${text}"`);
  return value;
}
