import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConfig } from './config-keys.ts';
import {
  GUEST_KEY_BYTES_MAX,
  GUEST_VALUE_BYTES_MAX,
  guestKeysOf,
  hasGuestKeys,
  isGuestKeyName,
  isGuestText,
  withGuestKeysOf,
  withGuestWrites,
  withoutGuestKeys,
} from './guest-keys.ts';

const config = fc.dictionary(
  fc.constantFrom('user.a', 'user.b', 'guest.a', 'guest.b', 'guest.c'),
  fc.string(),
);

describe('the name of a guest key', () => {
  it.each([
    'guest.a',
    'guest.status',
    'guest.a.b-c_d',
    'guest.9',
    `guest.${'x'.repeat(GUEST_KEY_BYTES_MAX - 6)}`,
  ])('may be %s', (key) => expect(isGuestKeyName(key)).toBe(true));

  it.each([
    'guest.',
    'guest',
    'guest..a',
    'guest.-a',
    'guest.a b',
    'guest.a/b',
    'guest.ü',
    'guest.a\n',
    'guest.a\u202e',
    'Guest.a',
    'user.a',
    `guest.${'x'.repeat(GUEST_KEY_BYTES_MAX - 5)}`,
  ])('may not be %j', (key) => expect(isGuestKeyName(key)).toBe(false));
});

describe('the value of a guest key', () => {
  it.each(['1', 'two\nlines\twith tab', 'grün ✓', '{"a":1}'])('may be %j', (value) => {
    expect(isGuestText(value)).toBe(true);
  });

  it.each(['', 'a\0', '\x1b[2J', 'a\rb', '\x7f', '\x9b2J', '\ud800'])('may not be %j', (value) => {
    expect(isGuestText(value)).toBe(false);
  });
});

describe('an operator', () => {
  it('may set guest keys under the rules for the instance, and only on instances', () => {
    const check = (key: string, value: string, owner: 'instance' | 'profile' = 'instance') =>
      checkConfig({ [key]: value }, owner);
    expect(() => check('guest.a', 'x')).not.toThrow();
    expect(() => check('guest.a', '')).not.toThrow();
    expect(() => check('guest.a b', 'x')).toThrow('Invalid guest key name "a b"');
    expect(() => check('guest.a', '\x1b')).toThrow('Invalid value of "guest.a"');
    expect(() => check('guest.a', 'ü'.repeat(GUEST_VALUE_BYTES_MAX))).toThrow('Invalid value of "guest.a"');
    expect(() => check('guest.a', 'x', 'profile')).toThrow('Guest keys can only be set on instances');
  });

  it.each([
    [undefined, false],
    ['', false],
    ['true', true],
    ['on', true],
    ['false', false],
    ['maybe', false],
  ])('switches guest keys on with security.devlxd.guest_config=%s: %s', (value, on) => {
    expect(hasGuestKeys(value === undefined ? {} : { 'security.devlxd.guest_config': value })).toBe(on);
  });
});

describe('a config that operator and instance write', () => {
  it('is split and put together again without loss', () => {
    fc.assert(
      fc.property(config, config, (one, other) => {
        expect({ ...guestKeysOf(one), ...withoutGuestKeys(one) }).toEqual({ ...one });
        const mixed = withGuestKeysOf(one, other);
        expect({ ...guestKeysOf(mixed) }).toEqual({ ...guestKeysOf(other) });
        expect({ ...withoutGuestKeys(mixed) }).toEqual({ ...withoutGuestKeys(one) });
      }),
    );
  });

  it('keeps, in an update by the operator, the guest keys that the instance wrote meanwhile', () => {
    fc.assert(
      fc.property(config, config, config, (next, before, now) => {
        const merged: Record<string, string | undefined> = { ...withGuestWrites(next, before, now) };
        for (const key of ['user.a', 'user.b', 'guest.a', 'guest.b', 'guest.c']) {
          const written = key.startsWith('guest.') && before[key] !== now[key];
          expect(merged[key]).toBe(written ? now[key] : next[key]);
        }
      }),
    );
  });
});
