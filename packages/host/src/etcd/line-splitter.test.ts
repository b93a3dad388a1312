import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from './line-splitter.ts';

describe('a splitter of lines', () => {
  it('finds the same lines however the bytes were cut', () => {
    const text = fc.string({ unit: 'grapheme' }).map((each) => each.replaceAll('\n', ' '));
    fc.assert(
      fc.property(fc.array(text), fc.array(fc.nat()), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const places = [
          0,
          ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
          bytes.length,
        ];
        const splitter = new LineSplitter();
        const found = places.slice(1).flatMap((end, at) => splitter.add(bytes.subarray(places[at], end)));
        expect(found).toEqual(lines);
      }),
    );
  });

  it('refuses a line over its limit, also one that never ends', () => {
    const splitter = new LineSplitter(10);
    expect(splitter.add(Buffer.from('1234567890\n12345'))).toEqual(['1234567890']);
    expect(() => splitter.add(Buffer.from('678901'))).toThrow('a message exceeds 10 bytes');
  });
});
