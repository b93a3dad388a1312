import { expect, it } from 'vitest';
import { UserStarts } from './user-starts.ts';

it('A user has a limited number of starts at once, and later one at a time; others have their own', () => {
  let ms = 0;
  const starts = new UserStarts({ now: () => new Date(ms) });
  for (let count = 0; count < 64; count++) starts.take(1000);
  expect(() => starts.take(1000)).toThrow('too many containers');
  starts.take(1001);
  ms += 60_000;
  starts.take(1000);
  expect(() => starts.take(1000)).toThrow('too many containers');
  ms += 100 * 3_600_000;
  for (let count = 0; count < 64; count++) starts.take(1000);
  expect(() => starts.take(1000)).toThrow('too many containers');
});
