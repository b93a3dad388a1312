import { within } from '../base/within.ts';

/** LXC's tools say something within this, or something is wrong with the instance. */
const WAIT_MS_MAX = 10_000;

/** Instances of which the daemon does not know yet, after its start, whether they run. */
export class Recognition {
  readonly #open = new Map<number, Promise<void>>();
  readonly #lost = new Set<number>();

  /** Takes note of one that is being looked at. @param known settles when that is over, well or badly */
  add(instanceId: number, known: Promise<void>): void {
    this.#open.set(instanceId, known);
    void known.then(() => this.#open.delete(instanceId));
  }

  /** Takes note that it cannot be found out: the instance may run, so it must not be started by itself. */
  lose(instanceId: number): void {
    this.#lost.add(instanceId);
  }

  /** Whether it could not be found out. */
  isLost(instanceId: number): boolean {
    return this.#lost.has(instanceId);
  }

  /** Settles when it is known whether an instance runs, or all of them do; not later than after ten seconds. */
  async known(instanceId?: number): Promise<void> {
    if (this.#open.size === 0) return;
    const open = instanceId === undefined ? [...this.#open.values()] : [this.#open.get(instanceId)];
    await within(WAIT_MS_MAX, Promise.all(open));
  }
}
