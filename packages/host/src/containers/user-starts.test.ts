import { expect, it } from 'vitest';
import { UserStarts } from './user-starts.ts';

it('a user has a limited number of starts, then one in each minute; the users do not share these limits', () => {
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
