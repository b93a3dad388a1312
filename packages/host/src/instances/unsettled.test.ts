import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../base/log.ts';
import { Unsettled } from './unsettled.ts';

const log = createLog('silent');
const MINUTE_MS = 60_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/**
 * Work that fails `times` times, and is to be tried again each time.
 * @returns the times of its tries, in ms
 */
function failing(unsettled: Unsettled, times: number): { tries: number[]; work: () => Promise<void> } {
  const tries: number[] = [];
  const begun = Date.now();
  const work = async () => {
    tries.push(Date.now() - begun);
    if (tries.length > times) return;
    unsettled.later(1, work);
    throw new Error('no');
  };
  return { tries, work };
}

describe('Unsettled', () => {
  it('tries again after longer and longer times, at most a minute, until the work succeeds', async () => {
    const unsettled = new Unsettled(log);
    const { tries, work } = failing(unsettled, 9);
    await expect(work()).rejects.toThrow('no');
    await vi.advanceTimersByTimeAsync(10 * MINUTE_MS);
    const waits = tries.slice(1).map((at, index) => (at - (tries[index] ?? 0)) / 1000);
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it('begins with a short time again after a success', async () => {
    const unsettled = new Unsettled(log);
    const first = failing(unsettled, 3);
    await expect(first.work()).rejects.toThrow('no');
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    const second = failing(unsettled, 1);
    await expect(second.work()).rejects.toThrow('no');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(second.tries).toHaveLength(2);
  });

  it('keeps the last work of each instance, until it is forgotten or all is stopped', async () => {
    const unsettled = new Unsettled(log);
    const done: string[] = [];
    unsettled.later(1, async () => void done.push('first'));
    unsettled.later(1, async () => void done.push('second'));
    unsettled.later(2, async () => void done.push('other'));
    unsettled.forget(2);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(done).toEqual(['second']);
    unsettled.later(1, async () => void done.push('late'));
    unsettled.stop();
    unsettled.later(1, async () => void done.push('later'));
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(done).toEqual(['second']);
  });
});
