import type { Clock } from '../base/clock.ts';
import { hostError } from '../core/host-errors.ts';

/** Starts that a user may have in quick succession, for example after a boot of the host: one for each instance. */
const AT_ONCE = 64;
/** After that, a user may have one start in this time: each makes some events, and the journal's room is limited. */
const EVERY_MS = 60_000;

/** Limits how often the containers of one user of the host are adopted. */
export class UserStarts {
  readonly #clock: Clock;
  /** By uid: how many starts were left at that time. It contains only users whom root allows. */
  readonly #left = new Map<number, { count: number; sinceMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a start. @throws bad-request if there are too many */
  take(uid: number): void {
    const nowMs = this.#clock.now().getTime();
    const before = this.#left.get(uid) ?? { count: AT_ONCE, sinceMs: nowMs };
    const gained = Math.max(0, nowMs - before.sinceMs) / EVERY_MS;
    const count = Math.min(AT_ONCE, before.count + gained);
    if (count < 1)
      throw hostError('bad-request', 'too many containers of this user have started: try again later');
    this.#left.set(uid, { count: count - 1, sinceMs: nowMs });
  }
}
