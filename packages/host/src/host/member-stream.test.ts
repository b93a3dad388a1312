import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { hostError } from '../core/host-errors.ts';
import { STREAM_RETRY_MS } from './host-limits.ts';
import { MemberStream } from './member-stream.ts';
import { LinkedHosts } from './testing/linked-hosts.ts';

let fleet: LinkedHosts;
beforeEach(async () => {
  fleet = await LinkedHosts.start('m1', 'm2');
});
afterEach(() => fleet.stop());

it('A stream of events that stays broken is told once, and again after it has been open', async () => {
  let tries = 0;
  let isThere = false;
  let taken = 0;
  const reasons: string[] = [];
  const stream = new MemberStream({
    agent() {
      tries++;
      if (!isThere) throw hostError('member-offline', 'm2', 'nothing listens');
      return fleet.link.member('m1').agents.of('m2');
    },
    take: () => void taken++,
    failed: (reason) => reasons.push(reason),
  });
  await vi.waitUntil(() => tries === 3, { timeout: 3 * STREAM_RETRY_MS });
  expect(reasons).toEqual([expect.stringContaining('nothing listens')]);
  isThere = true;
  const { operations } = fleet.host('m2').backend;
  const hasTaken = () => {
    operations.lifecycle('told', 'x');
    return taken > 0;
  };
  await vi.waitUntil(hasTaken, { timeout: 3 * STREAM_RETRY_MS });
  isThere = false;
  await fleet.kill('m2');
  await vi.waitUntil(() => reasons.length === 2, { timeout: 3 * STREAM_RETRY_MS });
  stream.stop();
});
