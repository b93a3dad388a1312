import { expect, it } from 'vitest';
import { HeldCallers } from './held-callers.ts';

it('holds so many callers of one user, none of them at the cost of another user, and more when they have gone', async () => {
  const callers = new HeldCallers();
  const gate = Promise.withResolvers<string>();
  const first = callers.hold(1000, () => gate.promise);
  let held = 1;
  while (callers.hold(1000, () => gate.promise)) held++;
  expect(held).toBe(512);
  expect(callers.hold(1_000_000, () => gate.promise)).not.toBeNull();
  gate.resolve('known');
  expect(await first).toBe('known');
  expect(callers.hold(1000, () => gate.promise)).not.toBeNull();
});
