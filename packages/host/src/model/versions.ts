import type { Change } from '../core/entities.ts';

/** Counts changes, so that what was made from the state can be known to be old. */
export class Versions {
  #all = 0;
  #profiles = 0;

  /** The number of changes of instances and profiles. */
  get all(): number {
    return this.#all;
  }

  /** The number of changes of profiles. */
  get profiles(): number {
    return this.#profiles;
  }

  note({ kind }: Change): void {
    if (kind.endsWith('-profile')) this.#profiles++;
    if (kind.endsWith('-profile') || kind.endsWith('-instance')) this.#all++;
  }
}
