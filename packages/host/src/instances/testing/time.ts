import { afterEach, beforeEach, vi } from 'vitest';
import type { Heart } from './heart.ts';

/** Gives the tests of a file control over timers; the rest, such as setImmediate, stays real. */
export function ownTimers(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

/** Advances the timers and the clock of a daemon, and waits for the work that this causes. */
export async function pass(heart: Heart, ms: number): Promise<void> {
  heart.world.clock.pass(ms);
  await vi.advanceTimersByTimeAsync(ms);
  await heart.quiet();
}
