import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkBoolean, isBoolean, isTrue } from './booleans.ts';

describe('booleans', () => {
  it.each(['true', 'YES', '1', 'On'])('takes %s for true', (word) => {
    expect(isTrue(word, false)).toBe(true);
    expect(isBoolean(word)).toBe(true);
  });

  it.each(['false', 'NO', '0', 'oFF'])('takes %s for false', (word) => {
    expect(isTrue(word, true)).toBe(false);
    expect(isBoolean(word)).toBe(true);
  });

  it('gives a missing and an empty value the default', () => {
    expect([isTrue(undefined, true), isTrue('', true), isTrue(undefined, false)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('takes no other word for true, whatever the default', () => {
    expect(isTrue('maybe', true)).toBe(false);
  });

  it("refuses other words with LXD's text", () => {
    expect(() => checkBoolean('maybe')).toThrow('Invalid value for a boolean "maybe"');
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^(true|false|yes|no|on|off|0|1)$/i.test(text));
        expect(isBoolean(text)).toBe(false);
      }),
    );
  });
});
