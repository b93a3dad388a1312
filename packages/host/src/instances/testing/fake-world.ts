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

/** Makes the same values in each run of a test, by counting. */
export function countingRandom(): Random {
  let count = 0;
  return {
    uuid: () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`,
    bytes: (length) => Uint8Array.from({ length }, () => ++count % 256),
  };
}
