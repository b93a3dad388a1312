import { messageOf } from '../base/coded-error.ts';
import type { Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import type { Requestor } from '../model/events.ts';
import type { Operation } from '../model/operation.ts';
import type { OperationHandle } from '../model/operations.ts';
import type { Needs, RunNeeds } from './needs.ts';
import type { StateAction, StateRequest } from './requests.ts';
import { STATE_DESCRIPTIONS, stateWork } from './state.ts';

/** How many instances change at the same time. */
const PARALLEL_MAX = 8;

/**
 * Changes the state of all instances to which the action applies, in one operation. If some fail, the others still
 * change, and the operation fails with the names of those that failed.
 */
export function setStates(
  context: RunNeeds & Needs<'adopter' | 'operations'>,
  request: Omit<StateRequest, 'pid'>,
  by: Requestor,
): Operation {
  const { action } = request;
  const chosen = [...context.model.state.instances.values()].filter((one) => applies(context, one, action));
  return context.operations.run({
    description: STATE_DESCRIPTIONS[action],
    resources: { instances: chosen.map(({ name }) => name) },
    work: async (handle) => {
      const failed = await changeAll(chosen, (instance) => change(context, instance, request, by, handle));
      if (failed.length > 0) throw hostError('some-failed', `\n${failed.join('\n')}\n`);
      return undefined;
    },
  });
}

function applies(
  { running, reboots }: Needs<'reboots' | 'running'>,
  { id }: Instance,
  action: StateAction,
): boolean {
  const run = running.get(id);
  const runs = run !== undefined || reboots.waits(id);
  if (action === 'start') return !runs;
  if (action === 'freeze') return run?.frozen === false;
  if (action === 'unfreeze') return run?.frozen === true;
  return runs;
}

async function change(
  context: RunNeeds & Needs<'adopter'>,
  instance: Instance,
  request: StateRequest,
  by: Requestor,
  handle: OperationHandle,
): Promise<void> {
  await stateWork(context, instance, request, by)(handle);
}

/** @returns a line for each failure, in the order of the instances */
async function changeAll(
  instances: readonly Instance[],
  work: (instance: Instance) => Promise<void>,
): Promise<string[]> {
  const failures = new Map<Instance, string>();
  const waiting = instances.values();
  const worker = async () => {
    for (const instance of waiting) {
      await work(instance).catch((error) => {
        failures.set(instance, ` - Instance: ${instance.name}: ${messageOf(error)}`);
      });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_MAX }, worker));
  return instances.flatMap((instance) => failures.get(instance) ?? []);
}
