import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Recognition } from './recognition.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Whether a promise has settled. */
async function settled(promise: Promise<void>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  return done;
}

describe('Recognition', () => {
  it('delays only requests about an instance that is being looked at', async () => {
    const recognition = new Recognition();
    const look = Promise.withResolvers<void>();
    recognition.add(1, look.promise);
    const [one, two, all] = [recognition.known(1), recognition.known(2), recognition.known()];
    expect([await settled(one), await settled(two), await settled(all)]).toEqual([false, true, false]);
    look.resolve();
    expect([await settled(one), await settled(all)]).toEqual([true, true]);
    expect(await settled(recognition.known(1))).toBe(true);
  });

  it('delays requests by at most ten seconds', async () => {
    const recognition = new Recognition();
    recognition.add(1, new Promise(() => {}));
    const asked = recognition.known();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(await settled(asked)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await settled(asked)).toBe(true);
  });
});
