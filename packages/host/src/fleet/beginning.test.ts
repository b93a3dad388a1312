import { expect, it } from 'vitest';
import { Beginning } from './beginning.ts';

const LONG_MS = 60_000;

it('a change waits until the member has its lease and follows the fleet', async () => {
  const beginning = new Beginning(LONG_MS);
  let isOver = false;
  const over = beginning.over?.then(() => {
    isOver = true;
  });
  beginning.hasLease();
  await new Promise(setImmediate);
  expect(isOver).toBe(false);
  beginning.follows();
  await over;
  expect([isOver, beginning.over]).toEqual([true, null]);
});

it('a change does not wait long while etcd cannot be reached', async () => {
  const beginning = new Beginning(1);
  beginning.follows();
  await beginning.over;
  expect(beginning.over).toBeNull();
});
