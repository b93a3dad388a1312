import {
  OTHERS_PER_KEY_MAX,
  REFUSED_PER_KEY_MAX,
  REFUSED_TOTAL_MAX,
  SURE_PER_KEY,
  UNKNOWN_CALLERS_PER_KEY_MAX,
  UNKNOWN_CALLERS_TOTAL_MAX,
} from './connection-limits.ts';

export type Admission = 'admitted' | 'refused' | 'dropped';

/** For the shares: root of an instance, another user of an instance, or a user that is in no instance. */
export type Rank = 'root' | 'other' | 'unknown';

/** The share that a connection counts toward. Connections of the same key count together. */
export interface Share {
  readonly key: string;
  readonly rank: Rank;
}

type Counts = Record<Rank | 'refused', number>;

const NONE: Readonly<Counts> = { root: 0, other: 0, unknown: 0, refused: 0 };

/**
 * Counts connections, so that no key takes what others need. The first connections of root of each key count
 * toward no total, so that other keys cannot use them up. All others share one total, and unknown callers
 * have a small one of their own.
 */
export class Slots {
  readonly #perKeyMax: number;
  readonly #othersMax: number;
  readonly #totalMax: number;
  readonly #held = new Map<string, Counts>();
  /** Admitted connections of all keys, beyond those that each key is guaranteed. */
  #common = 0;
  #unknownCallers = 0;
  #refused = 0;

  constructor(perKeyMax: number, totalMax: number) {
    this.#perKeyMax = perKeyMax;
    // A user other than root gets nothing but refusals, and must not lock out root of the same instance.
    this.#othersMax = Math.min(OTHERS_PER_KEY_MAX, Math.floor(perKeyMax / 4));
    this.#totalMax = totalMax;
  }

  /**
   * A `refused` connection gets an explanation, a `dropped` one does not. All but dropped ones have to be
   * released.
   * @param scarce the process has few descriptors left: only guaranteed connections are admitted
   */
  admit(share: Share, scarce = false): Admission {
    const admission = this.#decide(share.rank, this.#held.get(share.key) ?? NONE, scarce);
    if (admission !== 'dropped') this.enter(share, admission);
    return admission;
  }

  /** Counts a connection that the front end has admitted; release it like the others. */
  enter(share: Share, admission: Exclude<Admission, 'dropped'> = 'admitted'): void {
    const held = this.#held.get(share.key) ?? { ...NONE };
    this.#held.set(share.key, held);
    this.#count(share, held, admission, 1);
  }

  /** Undoes `admit` or `enter`. */
  release(share: Share, admission: Exclude<Admission, 'dropped'> = 'admitted'): void {
    const held = this.#held.get(share.key)!;
    this.#count(share, held, admission, -1);
    if (held.root + held.other + held.unknown + held.refused === 0) this.#held.delete(share.key);
  }

  #count({ rank }: Share, held: Counts, admission: Admission, by: 1 | -1): void {
    if (admission === 'refused') {
      held.refused += by;
      this.#refused += by;
      return;
    }
    // The connection that comes or goes counts as the key's last one. It is guaranteed only if fewer than
    // `SURE_PER_KEY` come before it.
    const before = held[rank] + (by > 0 ? 0 : by);
    held[rank] += by;
    if (rank === 'unknown') this.#unknownCallers += by;
    else if (rank === 'other' || before >= SURE_PER_KEY) this.#common += by;
  }

  #decide(rank: Rank, held: Readonly<Counts>, scarce: boolean): Admission {
    if (rank === 'unknown') {
      const room =
        held.unknown < UNKNOWN_CALLERS_PER_KEY_MAX && this.#unknownCallers < UNKNOWN_CALLERS_TOTAL_MAX;
      return room && !scarce ? 'admitted' : 'dropped';
    }
    const sure = rank === 'root' && held.root < SURE_PER_KEY;
    const room =
      held.root + held.other < this.#perKeyMax && (rank === 'root' || held.other < this.#othersMax);
    if (room && (sure || (!scarce && this.#common < this.#totalMax))) return 'admitted';
    const explained = held.refused < REFUSED_PER_KEY_MAX && this.#refused < REFUSED_TOTAL_MAX;
    return explained && !scarce ? 'refused' : 'dropped';
  }
}
