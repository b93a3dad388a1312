import fc from 'fast-check';
import { expect, it } from 'vitest';
import { listHolds } from './lists.ts';

it.each([
  ['a', true],
  ['b,a', true],
  [' b \t, a ,c', true],
  [',,a', true],
  ['a,', true],
  ['', false],
  ['ab', false],
  ['ab, ba', false],
  ['a b', false],
  ['A', false],
])('says whether %j contains the item a', (list, holds) => {
  expect(listHolds(list, 'a')).toBe(holds);
});

it('agrees with splitting the list', () => {
  const list = fc.array(fc.constantFrom('a', 'b', ',', ' ', '\t', 'ab')).map((parts) => parts.join(''));
  fc.assert(
    fc.property(list, fc.constantFrom('a', 'b', 'ab'), (given, item) => {
      const items = given.split(',').map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ''));
      expect(listHolds(given, item)).toBe(items.includes(item));
    }),
  );
});
