import { getMaxListeners } from 'node:events';
import { expect, it } from 'vitest';
import { Forwards } from './forwards.ts';

it('Any number of requests is passed on at the same time, without a warning of a leak', async () => {
  const forwards = new Forwards();
  await forwards.run(async (signal) => expect(getMaxListeners(signal)).toBe(0));
});
