import fc from 'fast-check';
import { expect, test as it } from 'vitest';
import { escapeQuoted, isUnsafe, printable, printableLine } from './printable.ts';
import { anyCharacter } from './testing/any-text.ts';

it('replaces control characters and keeps line feeds, tabs and letters', () => {
  expect(printable('a\nb\tc\rd\x1b[0m\x7f\x9bé漢\u202e')).toBe('a\nb\tc?d?[0m??é漢?');
  expect(printableLine('a\nb\tc')).toBe('a?b?c');
});

it('escaped JSON is safe for a terminal and has the same value', () => {
  const units = fc.oneof(
    fc.string({ unit: anyCharacter }),
    fc.constantFrom('\x1b]0;x\x07', '\x9b2J', '\u202e'),
  );
  fc.assert(
    fc.property(fc.array(units), (value) => {
      const text = escapeQuoted(JSON.stringify(value, null, 2));
      expect(JSON.parse(text)).toEqual(value);
      expect(isUnsafe(text)).toBe(false);
    }),
  );
});
