import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodedError } from '../base/coded-error.ts';
import { parseBits, parseBytes, parseMemoryLimit } from './units.ts';

describe('parseBytes', () => {
  it.each([
    ['0', 0],
    ['12', 12],
    ['12B', 12],
    ['3kB', 3000],
    ['3KiB', 3072],
    ['512MiB', 536_870_912],
    ['2GB', 2_000_000_000],
    ['1TiB', 2 ** 40],
  ])('reads %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each([
    '',
    'B',
    '-1',
    '1.5GB',
    '1 GB',
    '1KB',
    '1gb',
    '10XB',
    '1e3',
    '0x10',
    '９',
    '100EiB',
    '9'.repeat(400),
    '1\n',
  ])('refuses %j', (text) => expect(() => parseBytes(text)).toThrow(CodedError));

  it('reads every safe integer as a number of bytes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(parseBytes(`${bytes}B`)).toBe(bytes);
      }),
    );
  });
});

describe('parseBits', () => {
  it('reads bits per second', () => {
    expect([parseBits('100'), parseBits('10Mbit'), parseBits('1Kibit')]).toEqual([100, 10_000_000, 1024]);
  });

  it('refuses units of bytes', () => expect(() => parseBits('10MB')).toThrow('Invalid rate "10MB"'));
});

describe('parseMemoryLimit', () => {
  it('reads sizes and percentages', () => {
    expect([parseMemoryLimit('64MiB'), parseMemoryLimit('50%')]).toEqual([
      { bytes: 67_108_864 },
      { percent: 50 },
    ]);
  });

  it.each(['0', '0%', '0GiB'])('refuses %s', (text) => {
    expect(() => parseMemoryLimit(text)).toThrow("Memory limit can't be 0");
  });

  it.each(['101%', '-1%', '1.5%', '%'])('refuses %s', (text) =>
    expect(() => parseMemoryLimit(text)).toThrow(CodedError),
  );
});
