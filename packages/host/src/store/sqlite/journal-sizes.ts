/** The owner or reader of the host's events. Those of instances are the instances' ids, at least 1. */
export const HOST = 0;

/** A greater lead is not looked for: so many events are dropped at a time at most. */
const LEAD_MAX = 1_000;

/** The instances by their numbers of events, so that the largest is found without a look at all of them. */
export class Sizes {
  readonly #owners = new Map<number, Set<number>>();
  #most = 0;

  /** Notes that the number of an owner's events has changed. */
  move(owner: number, before: number, now: number): void {
    const left = this.#owners.get(before);
    left?.delete(owner);
    if (left?.size === 0) this.#owners.delete(before);
    if (now > 0) {
      const joined = this.#owners.get(now) ?? new Set();
      this.#owners.set(now, joined.add(owner));
    }
    this.#most = Math.max(this.#most, now);
    while (this.#most > 0 && !this.#owners.has(this.#most)) this.#most--;
  }

  /** The owner with the most events, and its lead on the next; the host if there is none. */
  largest(): { owner: number; lead: number } {
    const owners = this.#owners.get(this.#most);
    if (owners === undefined) return { owner: HOST, lead: 0 };
    const [owner = HOST] = owners;
    if (owners.size > 1) return { owner, lead: 0 };
    let lead = 1;
    while (lead < Math.min(this.#most, LEAD_MAX) && !this.#owners.has(this.#most - lead)) lead++;
    return { owner, lead };
  }
}
