import { CodedError, messageOf } from '../base/coded-error.ts';
import { Places } from '../base/places.ts';
import { nextTurn, SLICE, slicesOf } from '../base/slices.ts';
import type { Addition, Change } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import type { Needs } from './needs.ts';
import type { UpdatePlan } from './plan.ts';
import { targetOf } from './runs.ts';
import { devicesToStart } from './start.ts';

/** For how many instances at a time the result of an addition is foreseen. Each needs a helper program. */
const FORESEEN_AT_ONCE = 4;

/** The stored additions, and the changes that remove them. An instance whose devices only change or go has none. */
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
  const places = new Places(FORESEEN_AT_ONCE);
  const due = plans.filter((plan) => context.running.has(plan.current.id) && plan.steps.length > 0);
  // Waits for all, so that no work continues after a failure.
  const found = await Promise.allSettled(
    due.map((plan) => places.use(async () => all.set(plan.current.id, await foresee(context, plan)))),
  );
  const failed = found.find(({ status }) => status === 'rejected');
  if (failed) throw (failed as PromiseRejectedResult).reason;
  const puts = [...all].map(
    ([instanceId, additions]): Change => ({ kind: 'put-additions', instanceId, additions }),
  );
  for (const slice of slicesOf(puts)) {
    context.model.commit(slice);
    if (puts.length > SLICE) await nextTurn();
  }
  return { of: all, drops: [...all.keys()].map((instanceId) => ({ kind: 'drop-additions', instanceId })) };
}

const addedBy = ({ steps }: UpdatePlan) => steps.filter(({ action }) => action === 'added');

async function foresee({ running }: Needs<'running'>, plan: UpdatePlan): Promise<readonly Addition[]> {
  const { current, next } = plan;
  const additions: Addition[] = [];
  for (const { name, device } of addedBy(plan)) {
    const run = running.get(current.id);
    if (!run) break;
    const started = devicesToStart(next, { [name]: device })[name] ?? device;
    additions.push(await refusing(name, () => run.runtime.foresee(targetOf(run, name, started))));
  }
  return additions;
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
