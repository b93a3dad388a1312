import type { Init } from '../contract/runtime.ts';

/** Counts the hung programs that work for running instances. */
export class Hung {
  readonly #counts = new WeakMap<Init, number>();

  /** @param ended settles when the program has ended after all */
  note(init: Init, ended: Promise<void>): void {
    this.#count(init, 1);
    void ended.then(() => this.#count(init, -1));
  }

  /** How many hung programs work for one run. */
  of(init: Init): number {
    return this.#counts.get(init) ?? 0;
  }

  #count(init: Init, more: number): void {
    this.#counts.set(init, this.of(init) + more);
  }
}
