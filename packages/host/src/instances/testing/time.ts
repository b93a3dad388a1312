import { afterEach, beforeEach, vi } from 'vitest';
import type { Heart } from './heart.ts';

/** Has the tests of a file own the timers. Turns of the event loop go on by themselves. */
export function ownTimers(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

/** Lets the time go on, for timers and for the clock of a daemon, and waits for what that brings about. */
export async function pass(heart: Heart, ms: number): Promise<void> {
  heart.world.clock.pass(ms);
  await vi.advanceTimersByTimeAsync(ms);
  await heart.quiet();
}
