import { messageOf } from '../base/coded-error.ts';
import { planDevices } from '../core/devices-plan.ts';
import type { Devices } from '../core/entities.ts';
import { type Expanded, expand } from '../core/expand.ts';
import { own, recordOf, sameRecord } from '../core/records.ts';
import type { RunNeeds } from '../instances/needs.ts';
import { performPlans } from '../instances/perform.ts';

/** An instance whose expanded config or devices have changed. */
export interface Reached {
  readonly id: number;
  readonly before: Expanded;
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

  /** @returns settles when the changes of these instances are made, or have failed */
  async adjust(reached: readonly Reached[]): Promise<void> {
    const { running } = this.#context;
    await Promise.all(reached.filter(({ id }) => running.has(id)).map((each) => this.#begin(each)));
  }

  async #begin({ id, before }: Reached): Promise<void> {
    const { queue, log, model } = this.#context;
    const current = model.instanceById(id);
    if (!current) return;
    const pending = this.#pending.get(id) ?? { before, devices: new Set() };
    for (const name of changedDevices(before.devices, model.expanded(current).devices)) {
      pending.devices.add(name);
    }
    this.#pending.set(id, pending);
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

function changedDevices(before: Devices, after: Devices): string[] {
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
