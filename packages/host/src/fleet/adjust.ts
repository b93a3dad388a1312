import { messageOf } from '../base/coded-error.ts';
import { mapInSlices } from '../base/slices.ts';
import { planDevices } from '../core/devices-plan.ts';
import type { Devices } from '../core/entities.ts';
import { type Expanded, expand } from '../core/expand.ts';
import { own, recordOf, sameRecord } from '../core/records.ts';
import type { RunNeeds } from '../instances/needs.ts';
import { performPlans } from '../instances/perform.ts';

/** What a change has done to an instance. */
export interface Reached {
  readonly before: Expanded;
  /** The names of the devices that it has changed. */
  readonly devices: readonly string[];
}

/** What a running instance had before changes that are stored, but not made on it yet. */
interface Pending {
  readonly before: Expanded;
  readonly devices: Set<string>;
}

/**
 * Makes the changes of other members on running instances: devices, limits, the guest API's mount. The work on an instance
 * waits in its queue. A failure is logged: the next start of the instance makes the change.
 */
export class Adjuster {
  readonly #context: RunNeeds;
  readonly #pending = new Map<number, Pending>();

  constructor(context: RunNeeds) {
    this.#context = context;
  }

  /**
   * @param reached by id, the instances that a change has reached
   * @returns settles when the changes of these instances are made, or have failed
   */
  async adjust(reached: ReadonlyMap<number, Reached>): Promise<void> {
    const ids = [...reached.keys()].filter((id) => this.#context.running.has(id));
    // All in this turn: the next change must find them.
    for (const id of ids) this.#remember(id, reached.get(id) as Reached);
    await Promise.all(await mapInSlices(ids, (id) => this.#begin(id)));
  }

  #remember(id: number, { before, devices }: Reached): void {
    const pending = this.#pending.get(id) ?? { before, devices: new Set() };
    for (const name of devices) pending.devices.add(name);
    this.#pending.set(id, pending);
  }

  async #begin(id: number): Promise<void> {
    const { queue, log } = this.#context;
    try {
      await queue.run(id, 'update', () => this.#perform(id));
    } catch (error) {
      log.warn({ instance: id, reason: messageOf(error) }, 'a change of the fleet waits for the next start');
    }
  }

  async #perform(id: number): Promise<void> {
    const { model, running } = this.#context;
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    const current = model.instanceById(id);
    if (!pending || !current || !running.has(id)) return;
    const after = expand(current, model.state.profiles);
    // Operators may have changed other devices meanwhile: these are as they must be.
    const devices = withDevices(after.devices, pending.before.devices, pending.devices);
    const before = { ...pending.before, devices };
    const steps = planDevices(before.devices, after.devices);
    await performPlans(this.#context, [{ current, next: current, before, after, steps }]);
  }
}

/** The names of the devices that differ. */
export function changedDevices(before: Devices, after: Devices): string[] {
  return Object.keys({ ...before, ...after }).filter((name) => {
    const [one, other] = [own(before, name), own(after, name)];
    return !one || !other || !sameRecord(one, other);
  });
}

/** The devices with some of them as they are in `others`. */
function withDevices(devices: Devices, others: Devices, names: ReadonlySet<string>): Devices {
  const kept = Object.entries(devices).filter(([name]) => !names.has(name));
  return recordOf([...kept, ...Object.entries(others).filter(([name]) => names.has(name))]);
}
