import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodedError } from '../base/coded-error.ts';
import { NAME_ADJECTIVES, NAME_NOUNS } from './name-words.ts';
import {
  checkAliasName,
  checkDeviceName,
  checkInstanceName,
  checkProfileName,
  generateName,
} from './names.ts';
import { systemRandom } from './random.ts';

describe('instance names', () => {
  it.each(['c1', 'A', 'a-b', 'x'.repeat(63)])('may be %s', (name) =>
    expect(() => checkInstanceName(name)).not.toThrow(),
  );

  it.each([
    ['', 'Name must be 1-63 characters long'],
    ['x'.repeat(64), 'Name must be 1-63 characters long'],
    ['-1', 'Name must not start with "-" character'],
    ['1-', 'Name must not end with "-" character'],
    ['1a', 'Name must not start with a number'],
    ['a_b', 'Name can only contain alphanumeric and hyphen characters'],
    ['a\n', 'Name can only contain alphanumeric and hyphen characters'],
    ['ä', 'Name can only contain alphanumeric and hyphen characters'],
    ['../x', 'Name can only contain alphanumeric and hyphen characters'],
  ])('may not be %j; the error names the first rule that it breaks', (name, why) => {
    expect(() => checkInstanceName(name)).toThrow(`Invalid instance name: ${why}`);
  });
});

describe('device names', () => {
  it.each(['eth0', 'constructor', '__proto__', 'a.b', 'a/b', 'a:b', '-x', '_', 'x'.repeat(63)])(
    'may be %s',
    (name) => expect(() => checkDeviceName(name)).not.toThrow(),
  );

  // As LXD 5.0.2 answers.
  const CHARACTERS =
    'Name can only contain alphanumeric, forward slash, hyphen, colon, underscore and full stop characters';
  it.each([
    ['', 'Device validation failed for "": Name must be 1-63 characters long'],
    ['x'.repeat(64), `Device validation failed for "${'x'.repeat(64)}": Name must be 1-63 characters long`],
    ['x'.repeat(65), 'The maximum device name length is 64 characters'],
    ['..', 'Device validation failed for "..": Name must not start with "." character'],
    ['a b', `Device validation failed for "a b": ${CHARACTERS}`],
    ['a\nb', `Device validation failed for "a\\nb": ${CHARACTERS}`],
    ['ü', `Device validation failed for "ü": ${CHARACTERS}`],
    ['\ud800', CHARACTERS],
  ])('may not be %j', (name, text) => expect(() => checkDeviceName(name)).toThrow(text));
});

describe('profile names', () => {
  it.each(['default', '__proto__', 'a b'])('may be %s', (name) =>
    expect(() => checkProfileName(name)).not.toThrow(),
  );

  it.each([
    ['', 'No name provided'],
    ['a/b', 'Profile names may not contain slashes'],
    ['.', 'Invalid profile name "."'],
    ['..', 'Invalid profile name ".."'],
    ['a\nb', 'Invalid profile name "a\\nb"'],
    ['x'.repeat(65), `Invalid profile name "${'x'.repeat(64)}"`],
  ])('may not be %j', (name, text) => expect(() => checkProfileName(name)).toThrow(text));
});

describe('alias names', () => {
  it('may have slashes', () => expect(() => checkAliasName('debian/12/cloud')).not.toThrow());

  it.each(['', 'a\tb', '\udc00', 'x'.repeat(256)])('may not be %j', (name) => {
    expect(() => checkAliasName(name)).toThrow(CodedError);
  });
});

describe('generated names', () => {
  it('are two words and valid for all random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), (bytes) => {
        const name = generateName(
          { uuid: () => '', bytes: (count) => bytes.subarray(0, count) },
          () => false,
        );
        expect(name).toMatch(/^[a-z]+-[a-z]+$/);
        checkInstanceName(name);
      }),
    );
  });

  it('are always free, also if all names of two words are taken', () => {
    const taken = (name: string) => name.split('-').length === 2;
    const name = generateName(systemRandom, taken);
    expect(taken(name)).toBe(false);
    checkInstanceName(name);
  });

  it('are valid at their greatest length', () => {
    const longest = (words: readonly string[]) => Math.max(...words.map((word) => word.length));
    expect(5 * (longest(NAME_ADJECTIVES) + 1) + longest(NAME_NOUNS)).toBeLessThanOrEqual(63);
  });

  it('fail with an error if every name is taken', () => {
    expect(() => generateName(systemRandom, () => true)).toThrow(
      'No free instance name was found, choose one',
    );
  });

  it('come from lists of 64 words each, so that all words are equally likely', () => {
    expect([new Set(NAME_ADJECTIVES).size, new Set(NAME_NOUNS).size]).toEqual([64, 64]);
  });
});
