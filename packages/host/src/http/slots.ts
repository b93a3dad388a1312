import {
  OTHERS_PER_KEY_MAX,
  REFUSED_PER_KEY_MAX,
  REFUSED_TOTAL_MAX,
  SURE_PER_KEY,
  UNKNOWN_CALLERS_PER_KEY_MAX,
  UNKNOWN_CALLERS_TOTAL_MAX,
} from './connection-limits.ts';

export type Admission = 'admitted' | 'refused' | 'dropped';

/** Who a connection is of, as far as its share goes: root of an instance, another user of it, anybody else. */
export type Rank = 'root' | 'other' | 'unknown';

/** Out of which share a connection comes. Connections of the same key count together. */
export interface Share {
  readonly key: string;
  readonly rank: Rank;
}

type Counts = Record<Rank | 'refused', number>;

const NONE: Readonly<Counts> = { root: 0, other: 0, unknown: 0, refused: 0 };

/**
 * Counts connections, so that no key takes what others need. The first connections of root of each key come out of
 * no total, so that nobody can use them up; all others share one, and strangers have a small one of their own.
 */
export class Slots {
  readonly #perKeyMax: number;
  readonly #othersMax: number;
  readonly #totalMax: number;
  readonly #held = new Map<string, Counts>();
  /** Beyond those that are sure. */
  #common = 0;
  #unknownCallers = 0;
  #refused = 0;

  constructor(perKeyMax: number, totalMax: number) {
    this.#perKeyMax = perKeyMax;
    // A user who is not root gets a refusal only, and must not lock out root of the same instance.
    this.#othersMax = Math.min(OTHERS_PER_KEY_MAX, Math.floor(perKeyMax / 4));
    this.#totalMax = totalMax;
  }

  /**
   * `refused` is worth an explanation, `dropped` is not. Give what is not dropped back.
   * @param scarce the process has few descriptors left: only what is sure is let in
   */
  admit(share: Share, scarce = false): Admission {
    const admission = this.#decide(share.rank, this.#held.get(share.key) ?? NONE, scarce);
    if (admission !== 'dropped') this.enter(share, admission);
    return admission;
  }

  /** Counts a connection that somebody else has let in; give it back like others. */
  enter(share: Share, admission: Exclude<Admission, 'dropped'> = 'admitted'): void {
    const held = this.#held.get(share.key) ?? { ...NONE };
    this.#held.set(share.key, held);
    this.#count(share, held, admission, 1);
  }

  /** Gives back what `admit` gave. */
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
    // The one that comes or goes is the last of them, and not sure if there are enough before it.
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
