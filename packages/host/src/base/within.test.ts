import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { within } from './within.ts';

const never = new Promise<void>(() => {});

describe('waiting with a limit', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('returns true when the work is done, fails when the work fails, and leaves no timer', async () => {
    expect(await within(1000, Promise.resolve())).toBe(true);
    await expect(within(1000, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('returns false when the time is over, also with a time of zero', async () => {
    const waited = within(1000, never);
    vi.advanceTimersByTime(1000);
    expect(await waited).toBe(false);
    const brief = within(0, never);
    vi.advanceTimersByTime(0);
    expect(await brief).toBe(false);
  });

  it('has no limit if the time is negative', async () => {
    const work = Promise.withResolvers<void>();
    const waited = within(-1, work.promise);
    expect(vi.getTimerCount()).toBe(0);
    work.resolve();
    expect(await waited).toBe(true);
  });
});
