import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../core/random.ts';

/** A clock that tests move. */
export class FakeClock implements Clock {
  #ms = Date.parse('2026-01-01T00:00:00Z');

  now(): Date {
    return new Date(this.#ms);
  }

  pass(ms: number): void {
    this.#ms += ms;
  }
}

/** Values that are the same in each run of a test: they count. */
export function countingRandom(): Random {
  let count = 0;
  return {
    uuid: () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`,
    bytes: (length) => Uint8Array.from({ length }, () => ++count % 256),
  };
}
