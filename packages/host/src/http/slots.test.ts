import { expect, it } from 'vitest';
import { REFUSED_PER_KEY_MAX } from './limits.ts';
import { Slots } from './slots.ts';

it('refuses a key above its limit, then drops, and never lets it take what others need', () => {
  const slots = new Slots(2, 10);
  expect([1, 2].map(() => slots.admit('a'))).toEqual(['admitted', 'admitted']);
  for (let i = 0; i < REFUSED_PER_KEY_MAX; i++) expect(slots.admit('a')).toBe('refused');
  expect(slots.admit('a')).toBe('dropped');
  expect(slots.admit('b')).toBe('admitted');
});

it('admits again after a release', () => {
  const slots = new Slots(1, 10);
  slots.admit('a');
  slots.release('a', 'admitted');
  expect(slots.admit('a')).toBe('admitted');
});

it('refuses every key above the limit of all', () => {
  const slots = new Slots(2, 3);
  expect(['a', 'a', 'b', 'c', 'd'].map((key) => slots.admit(key))).toEqual([
    'admitted',
    'admitted',
    'admitted',
    'refused',
    'refused',
  ]);
});
