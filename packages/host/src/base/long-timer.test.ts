import { afterEach, beforeEach, expect, test as it, vi } from 'vitest';
import { longSleep, startLongTimer, TIMER_MS_MAX } from './long-timer.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it.each([0, 1, 1000, TIMER_MS_MAX, TIMER_MS_MAX + 1, 5 * TIMER_MS_MAX + 7])('waits exactly %d ms', (ms) => {
  const over = vi.fn();
  startLongTimer(ms, over);
  if (ms > 0) vi.advanceTimersByTime(ms - 1);
  expect(over).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(over).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
});

it('can be cancelled during its last part', () => {
  const over = vi.fn();
  const end = startLongTimer(3 * TIMER_MS_MAX, over);
  vi.advanceTimersByTime(2 * TIMER_MS_MAX);
  end();
  expect(vi.getTimerCount()).toBe(0);
  expect(over).not.toHaveBeenCalled();
});

it('a sleep lasts for its full time unless it is aborted', async () => {
  const abort = new AbortController();
  const woken = vi.fn();
  void longSleep(3_000_000_000, abort.signal).then(woken);
  await vi.advanceTimersByTimeAsync(2_999_999_999);
  expect(woken).not.toHaveBeenCalled();
  abort.abort();
  await vi.advanceTimersByTimeAsync(0);
  expect(woken).toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
