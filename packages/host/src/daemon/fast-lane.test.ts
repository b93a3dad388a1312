import { expect, it } from 'vitest';
import { silentLog } from '../base/log.ts';
import { DEFAULT_LIMITS } from '../http/connection-limits.ts';
import { openFastLane } from './fast-lane.ts';

const parts = { limits: DEFAULT_LIMITS, log: silentLog };

it.each([
  ['off', 'pidfd', 'off'],
  ['auto', 'proc', 'unsupported'],
] as const)('there is no lane when it is %s and callers are recognised by %s', (wanted, name, status) => {
  const fast = openFastLane({ ...parts, wanted, kernel: { name } });
  expect([fast.lane, fast.status()]).toEqual([undefined, status]);
});

it('it is on where callers are recognised by pidfd, and is said to have failed when it has', async () => {
  const { lane, status } = openFastLane({ ...parts, wanted: 'auto', kernel: { name: 'pidfd' } });
  expect(status()).toBe('on');
  // Nobody has such a slot: a fault of ours.
  lane?.release({ peer: { kind: 'no-instance' }, key: 'nobody', rank: 'root' });
  await lane?.stop();
  expect(status()).toBe('failed');
});
