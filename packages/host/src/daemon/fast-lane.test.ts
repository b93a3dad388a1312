import { expect, it } from 'vitest';
import { silentLog } from '../base/log.ts';
import { DEFAULT_LIMITS } from '../http/connection-limits.ts';
import { openFastLane } from './fast-lane.ts';

const parts = { limits: DEFAULT_LIMITS, log: silentLog };

it.each([
  ['off', 'pidfd', 'off'],
  ['auto', 'proc', 'unsupported'],
] as const)(
  'there is no lane when the setting is %s and callers are identified by %s',
  (wanted, name, status) => {
    const fast = openFastLane({ ...parts, settings: { 'fast-lane': wanted }, kernel: { name } });
    expect([fast.lane, fast.status()]).toEqual([undefined, status]);
  },
);

it('the lane is on when callers are identified by pidfd, and its status says when it has failed', async () => {
  const { lane, status } = openFastLane({
    ...parts,
    settings: { 'fast-lane': 'auto' },
    kernel: { name: 'pidfd' },
  });
  expect(status()).toBe('on');
  // No connection has such a slot: a defect of the daemon.
  lane?.release({ peer: { kind: 'no-instance' }, key: 'nobody', rank: 'root' });
  await lane?.stop();
  expect(status()).toBe('failed');
});
