import { messageOf } from '../base/coded-error.ts';
import { Places } from '../base/places.ts';
import { nextTurn, SLICE, slicesOf } from '../base/slices.ts';
import { isRootDisk } from '../core/device-table.ts';
import { type DeviceStep, planDevices } from '../core/devices-plan.ts';
import type { Device } from '../core/entities.ts';
import type { Expanded } from '../core/expand.ts';
import { hostError } from '../core/host-errors.ts';
import { takenHwaddr } from '../core/hwaddr-conflicts.ts';
import { own } from '../core/records.ts';
import type { Runtime } from '../runtimes/contract/runtime.ts';
import type { Needs } from './needs.ts';
import type { UpdatePlan } from './plan.ts';

/** Checks that go on at a time: each may ask a helper program about a path. */
const CHECKS_AT_ONCE = 8;

/**
 * Checks that the host has what added devices and other sizes need, and that no other nic has their address; changes nothing.
 * A device that a profile gives to many instances is looked for once.
 * @throws device-add-failed
 */
export async function checkAdded(
  { model, runtimeOf }: Needs<'model' | 'runtimeOf'>,
  plans: readonly UpdatePlan[],
): Promise<void> {
  const planned = new Map(plans.map(({ next, after }) => [next.id, after]));
  // One after another: a profile that gives its address to thousands of users fails at the second.
  function* others(id: number): Generator<Expanded> {
    for (const instance of model.state.instances.values())
      if (instance.id !== id) yield planned.get(instance.id) ?? model.expanded(instance);
  }
  const looks = new Looks();
  const check = async ({ next, after }: UpdatePlan, { name, device }: DeviceStep) => {
    try {
      const address = own(device, 'hwaddr') && takenHwaddr(name, after, others(next.id));
      if (address) throw new Error(`MAC address "${address}" already defined on another NIC`);
      await looks.look(runtimeOf(next.config), name, device);
      return null;
    } catch (error) {
      return hostError('device-add-failed', name, messageOf(error));
    }
  };
  for (const slice of slicesOf(plans)) {
    const checks = slice.flatMap((plan) =>
      planDevices(plan.before.devices, plan.after.devices)
        .filter(({ action, device }) => action === 'added' || (action === 'updated' && isRootDisk(device)))
        .map((step) => check(plan, step)),
    );
    const failure = (await Promise.all(checks)).find((each) => each !== null);
    if (failure) throw failure;
    if (plans.length > SLICE) await nextTurn();
  }
}

/** Looks of one update at the host: for each device once. */
class Looks {
  readonly #places = new Places(CHECKS_AT_ONCE);
  readonly #known = new Map<Runtime, Map<string, Promise<void>>>();

  look(runtime: Runtime, name: string, device: Device): Promise<void> {
    const known = this.#known.get(runtime) ?? new Map<string, Promise<void>>();
    this.#known.set(runtime, known);
    const key = JSON.stringify([name, device]);
    const look = known.get(key) ?? this.#places.use(() => runtime.checkDevice(name, device));
    known.set(key, look);
    return look;
  }
}
