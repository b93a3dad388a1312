import { type Clock, timestamp } from '../base/clock.ts';

/** Since when this member is cut off from the fleet. It begins so: it has no lease yet. */
export class CutOff {
  readonly #clock: Clock;
  #since: string | null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = timestamp(clock);
  }

  /** RFC 3339; null while the member has its lease. */
  get since(): string | null {
    return this.#since;
  }

  /** Call it when the member has got or lost its lease. */
  setAlive(isAlive: boolean): void {
    this.#since = isAlive ? null : (this.#since ?? timestamp(this.#clock));
  }
}
