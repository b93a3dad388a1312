import { within } from '../base/within.ts';

/** LXC's tools answer within this time, unless something is wrong with the instance. */
const WAIT_MS_MAX = 10_000;

/** The instances of which a started daemon does not know yet whether they run. */
export class Recognition {
  readonly #open = new Map<number, Promise<void>>();
  readonly #lost = new Set<number>();

  /**
   * Adds an instance that is being looked at.
   * @param known resolves when that is over, with or without success
   */
  add(instanceId: number, known: Promise<void>): void {
    this.#open.set(instanceId, known);
    void known.then(() => this.#open.delete(instanceId));
  }

  /** Marks an instance whose state cannot be found out: it may run, so the daemon must not start it. */
  lose(instanceId: number): void {
    this.#lost.add(instanceId);
  }

  /** Whether it could not be found out if the instance runs. */
  isLost(instanceId: number): boolean {
    return this.#lost.has(instanceId);
  }

  /** Resolves when it is known whether an instance (without an id: each) runs, or after ten seconds. */
  async known(instanceId?: number): Promise<void> {
    if (this.#open.size === 0) return;
    const open = instanceId === undefined ? [...this.#open.values()] : [this.#open.get(instanceId)];
    await within(WAIT_MS_MAX, Promise.all(open));
  }
}
