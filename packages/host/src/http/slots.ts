import { REFUSED_PER_KEY_MAX, REFUSED_TOTAL_MAX } from './limits.ts';

export type Admission = 'admitted' | 'refused' | 'dropped';

/** Counts connections per key and in all, so that no key takes what others need. */
export class Slots {
  private readonly perKeyMax: number;
  private readonly totalMax: number;
  private readonly held = new Map<string, { admitted: number; refused: number }>();
  private admitted = 0;
  private refused = 0;

  constructor(perKeyMax: number, totalMax: number) {
    this.perKeyMax = perKeyMax;
    this.totalMax = totalMax;
  }

  /** `refused` is worth an explanation, `dropped` is not any more. Give both kinds of held slot back. */
  admit(key: string): Admission {
    const held = this.held.get(key);
    const admission = this.decide(held?.admitted ?? 0, held?.refused ?? 0);
    if (admission !== 'dropped') this.enter(key, admission);
    return admission;
  }

  /** Counts a connection that somebody else has let in; give it back like others. */
  enter(key: string, admission: Exclude<Admission, 'dropped'>): void {
    const held = this.held.get(key) ?? { admitted: 0, refused: 0 };
    this.held.set(key, held);
    held[admission]++;
    this[admission]++;
  }

  /** Gives back what `admit` gave. */
  release(key: string, admission: Exclude<Admission, 'dropped'>): void {
    const held = this.held.get(key)!;
    held[admission]--;
    this[admission]--;
    if (held.admitted + held.refused === 0) this.held.delete(key);
  }

  private decide(admitted: number, refused: number): Admission {
    if (this.admitted < this.totalMax && admitted < this.perKeyMax) return 'admitted';
    return refused < REFUSED_PER_KEY_MAX && this.refused < REFUSED_TOTAL_MAX ? 'refused' : 'dropped';
  }
}
