import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readLimit, readPosition } from './position.ts';

it('reads every sequence number', () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (number) => {
      expect(readPosition(String(number))).toBe(number);
    }),
  );
});

it('reads a limit, and lowers it to the maximum of an answer', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (number) => {
      expect(readLimit(String(number), 256)).toBe(Math.min(number, 256));
    }),
  );
});

it('reads only canonical whole numbers', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 20 }), (text) => {
      const position = readPosition(text);
      expect(position === undefined || String(position) === text).toBe(true);
      const limit = readLimit(text, 256);
      expect(limit === undefined || (limit > 0 && limit <= 256)).toBe(true);
    }),
  );
});

it.each(['', '-1', '+1', '01', '1.0', '1e3', ' 1', '1\n', 'NOW', 'now ', '9007199254740992', '0x10', '١'])(
  'refuses %j as a position',
  (text) => expect(readPosition(text)).toBeUndefined(),
);

it('reads "now" as the end of the journal', () => expect(readPosition('now')).toBe('now'));

it.each(['0', '', 'now', '-1', '1.5'])('refuses %j as a limit', (text) => {
  expect(readLimit(text, 256)).toBeUndefined();
});
