import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyCharacter } from '../base/testing/any-text.ts';
import { cleanPath, decodeSegment, queryValue, redirectLocation } from './target.ts';

describe('cleanPath', () => {
  it.each([
    ['', '/'],
    ['/', '/'],
    ['//1.0', '/1.0'],
    ['/1.0//config', '/1.0/config'],
    ['/1.0/./config', '/1.0/config'],
    ['/1.0/config/../devices', '/1.0/devices'],
    ['/1.0/config/..', '/1.0'],
    ['/../..', '/'],
    ['/1.0/../', '/'],
    ['/1.0/config/', '/1.0/config/'],
    ['/1.0/%2e%2e/x', '/1.0/%2e%2e/x'],
    ['/1.0/..a/.b', '/1.0/..a/.b'],
  ])('turns %j into %j', (path, clean) => {
    expect(cleanPath(path)).toBe(clean);
  });

  it('changes nothing the second time, so that a redirect never leads to another one', () => {
    const path = fc.array(fc.constantFrom('/', '.', '..', 'a', '%2e')).map((parts) => `/${parts.join('')}`);
    fc.assert(fc.property(path, (given) => void expect(cleanPath(cleanPath(given))).toBe(cleanPath(given))));
  });
});

describe('redirectLocation', () => {
  it('keeps origin and query, and sends no byte that could end the header', () => {
    expect(redirectLocation({ path: '', query: '', origin: 'http://lxd' }, '/')).toBe('http://lxd/');
    expect(redirectLocation({ path: '', query: 'a="b"', origin: '' }, '/\xc3\xbc\r\n')).toBe(
      '/%C3%BC%0D%0A?a=%22b%22',
    );
  });
});

describe('decodeSegment', () => {
  it.each([
    ['user.foo', 'user.foo'],
    ['user.with%20space', 'user.with space'],
    ['user.sl%2Fash', 'user.sl/ash'],
    ['user.%C3%BCni', 'user.üni'],
    ['user.\xc3\xbcni', 'user.üni'],
    ['user.pct%2541', 'user.pct%41'],
    ['a+b', 'a+b'],
  ])('turns %j into %j', (segment, text) => {
    expect(decodeSegment(segment)).toBe(text);
  });

  it('turns bytes that are not UTF-8 into a text that no stored text equals', () => {
    for (const segment of ['user.%ff', 'user.%ed%b2%80', '\xff', '%c3']) {
      expect(decodeSegment(segment).isWellFormed()).toBe(false);
    }
  });

  it('undoes encodeURIComponent', () => {
    const text = fc.string({ unit: anyCharacter }).filter((given) => given.isWellFormed());
    fc.assert(
      fc.property(text, (given) => void expect(decodeSegment(encodeURIComponent(given))).toBe(given)),
    );
  });
});

describe('queryValue', () => {
  it.each([
    ['', undefined],
    ['type=config', 'config'],
    ['type=a&type=b', 'a'],
    ['x=1&type=config,%20device', 'config, device'],
    ['type=a+b', 'a b'],
    ['type', ''],
    ['type=%zz&type=b', 'b'],
    ['type=a;b', undefined],
    ['Type=a', undefined],
    ['t%79pe=a', 'a'],
    ['typ%', undefined],
    ['t+ype=a', undefined],
    [`${'x&'.repeat(63)}type=a`, 'a'],
    [`${'x&'.repeat(64)}type=a`, undefined],
  ])('finds in %j the type %j', (query, value) => {
    expect(queryValue(query, 'type')).toBe(value);
  });
});
