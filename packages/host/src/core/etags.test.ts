import fc from 'fast-check';
import { expect, it } from 'vitest';
import { etagOf, listEtag, namesEtag, valueEtags } from './etags.ts';

it('gives different texts different tags', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (one, other) => {
      expect(etagOf(one) === etagOf(other)).toBe(one === other);
      expect(etagOf(one)).toMatch(/^"[A-Za-z0-9_-]{22}"$/);
    }),
  );
});

it('gives the same tags in every version, since clients keep them over restarts and upgrades', () => {
  expect(etagOf('bar')).toBe('"_N4rLtula_QIYB-3If6bXD"');
  expect(listEtag(['user.a', 'user.b'])).toBe(etagOf('user.a\nuser.b'));
});

it('takes the tags of unchanged values from the previous view, and computes those of changed ones', () => {
  const before = new Map([
    ['user.a', '1'],
    ['user.b', '1'],
  ]);
  const previous = {
    config: before,
    etags: new Map([
      ['user.a', 'kept'],
      ['user.b', 'kept'],
    ]),
  };
  const tags = valueEtags(new Map([...before, ['user.b', '2'], ['user.c', '1']]), previous);
  expect([...tags]).toEqual([
    ['user.a', 'kept'],
    ['user.b', etagOf('2')],
    ['user.c', etagOf('1')],
  ]);
});

it.each([
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['"b",W/"a" , "c"', true],
  ['*', true],
  ['"b"', false],
  ['a', false],
  ['', false],
  ['"A"', false],
])('says whether If-None-Match: %s names "a"', (header, names) => {
  expect(namesEtag(header, '"a"')).toBe(names);
});
