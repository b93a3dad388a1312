import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkBoolean, isBoolean, isTrue } from './booleans.ts';

describe('booleans', () => {
  it.each(['true', 'YES', '1', 'On'])('read %s as true', (word) => {
    expect(isTrue(word, false)).toBe(true);
    expect(isBoolean(word)).toBe(true);
  });

  it.each(['false', 'NO', '0', 'oFF'])('read %s as false', (word) => {
    expect(isTrue(word, true)).toBe(false);
    expect(isBoolean(word)).toBe(true);
  });

  it('read a missing or empty value as the default', () => {
    expect([isTrue(undefined, true), isTrue('', true), isTrue(undefined, false)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('read any other word as false, also if the default is true', () => {
    expect(isTrue('maybe', true)).toBe(false);
  });

  it("have a check that refuses other words with LXD's text", () => {
    expect(() => checkBoolean('maybe')).toThrow('Invalid value for a boolean "maybe"');
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^(true|false|yes|no|on|off|0|1)$/i.test(text));
        expect(isBoolean(text)).toBe(false);
      }),
    );
  });
});
