import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseRange } from './byte-ranges.ts';

it.each([
  ['bytes=0-4', [{ start: 0, length: 5 }]],
  ['bytes=5-', [{ start: 5, length: 5 }]],
  ['bytes=-3', [{ start: 7, length: 3 }]],
  ['bytes=-99', [{ start: 0, length: 10 }]],
  ['bytes=8-99', [{ start: 8, length: 2 }]],
  [
    'bytes=0-0, ,9-9',
    [
      { start: 0, length: 1 },
      { start: 9, length: 1 },
    ],
  ],
  ['bytes=20-,1-1', [{ start: 1, length: 1 }]],
  ['bytes=10-', 'beyond-end'],
  ['bytes=0-9,0-9', 'whole'],
  [undefined, 'whole'],
  ['', 'whole'],
  ['bytes=', 'whole'],
  ['items=0-1', 'malformed'],
  ['Bytes=0-1', 'malformed'],
  ['bytes=4-2', 'malformed'],
  ['bytes=-', 'malformed'],
  ['bytes=--1', 'malformed'],
  ['bytes=a-b', 'malformed'],
  ['bytes=1', 'malformed'],
])('reads %j of ten bytes as %j', (header, ranges) => {
  expect(parseRange(header, 10)).toEqual(ranges);
});

it('takes any range of an empty file, and too many ranges, for the whole file', () => {
  expect(parseRange('bytes=0-', 0)).toBe('whole');
  expect(parseRange(`bytes=${'0-0,'.repeat(65)}`, 1000)).toBe('whole');
});

it('never gives a range outside of the file', () => {
  const part = fc.constantFrom('0', '1', '9', '99', '-', ',', ' ', 'bytes=', '=');
  const header = fc.array(part, { maxLength: 12 }).map((parts) => `bytes=${parts.join('')}`);
  fc.assert(
    fc.property(header, fc.nat(120), (text, size) => {
      const ranges = parseRange(text, size);
      if (typeof ranges === 'string') return;
      for (const { start, length } of ranges) {
        expect(start >= 0 && length >= 0 && start + length <= size).toBe(true);
      }
    }),
  );
});
