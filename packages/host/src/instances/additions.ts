import { CodedError, messageOf } from '../base/coded-error.ts';
import type { Addition, Change } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import type { Needs } from './needs.ts';
import type { UpdatePlan } from './plan.ts';
import { targetOf } from './runs.ts';
import { devicesToStart } from './start.ts';

/** Devices that are stored as being added, none if some only change or go, and the changes that remove these records. */
export interface PendingDevices {
  /** By instance id. */
  readonly of: ReadonlyMap<number, readonly Addition[]>;
  readonly drops: readonly Change[];
}

/**
 * Stores that devices of running instances are about to change, with those that are added, so that a later daemon can
 * undo an unfinished update.
 */
export async function storeAdditions(
  context: Needs<'model' | 'running'>,
  plans: readonly UpdatePlan[],
): Promise<PendingDevices> {
  const all = new Map<number, readonly Addition[]>();
  for (const { current, next, steps } of plans) {
    const run = context.running.get(current.id);
    if (!run || steps.length === 0) continue;
    const added = steps.filter(({ action }) => action === 'added');
    const additions: Addition[] = [];
    for (const { name, device } of added) {
      const started = devicesToStart(next, { [name]: device })[name] ?? device;
      additions.push(await refusing(name, () => run.runtime.foresee(targetOf(run, name, started))));
    }
    all.set(current.id, additions);
  }
  const puts = [...all].map(
    ([instanceId, additions]): Change => ({ kind: 'put-additions', instanceId, additions }),
  );
  if (puts.length > 0) context.model.commit(puts);
  return { of: all, drops: [...all.keys()].map((instanceId) => ({ kind: 'drop-additions', instanceId })) };
}

/** Adds the device's name to the error of a failure. @throws device-start-failed */
export async function refusing<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw hostError(
      'device-start-failed',
      name,
      error instanceof CodedError ? error.message : messageOf(error),
    );
  }
}
