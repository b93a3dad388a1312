import type { Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import type { Requestor } from '../model/events.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { Operation } from '../model/operation.ts';
import type { OperationSpec } from '../model/operations.ts';
import { adoptAgain } from './adopt.ts';
import type { Needs, RunNeeds } from './needs.ts';
import type { StateAction, StateRequest } from './requests.ts';
import type { UnpackProgress } from './roots.ts';
import type { Run } from './runs.ts';
import { startInstance } from './start.ts';
import { finishStop, forceRun, killRun, type StopRequest, stopInstance, thaw } from './stop.ts';

/** Descriptions of operations, by action. */
export const STATE_DESCRIPTIONS = {
  start: 'Starting instance',
  stop: 'Stopping instance',
  restart: 'Restarting instance',
  freeze: 'Freezing instance',
  unfreeze: 'Unfreezing instance',
} as const;

/** Changes the state of an instance. @throws busy at once; other errors in the operation */
export function setState(
  context: RunNeeds & Needs<'adopter' | 'operations'>,
  instance: Instance,
  request: StateRequest,
  by: Requestor,
): Operation {
  return context.operations.run({
    description: STATE_DESCRIPTIONS[request.action],
    resources: { instances: [instance.name] },
    work: stateWork(context, instance, request, by),
  });
}

/** The work of an operation that changes the state of an instance. @throws busy */
export function stateWork(
  context: RunNeeds & Needs<'adopter'>,
  { id }: Instance,
  request: StateRequest,
  by: Requestor,
): OperationSpec['work'] {
  const { queue } = context;
  const { action } = request;
  const busy = queue.labels(id).find((label) => label in STATE_DESCRIPTIONS);
  const waits = queue.labels(id).length > 0;
  const forces = request.force && overtakes(action, busy);
  if (busy && !forces) throw hostError('busy', action, busy);
  return async (handle) => {
    const progress = (percent: number) =>
      handle.report({ start_instance_unpack_progress: `Unpack: ${percent}%` });
    if (action !== 'stop' && action !== 'restart') {
      await queue.run(id, action, () => changeState(context, id, request, by, progress));
      return undefined;
    }
    const stop = { ...request, action, by, progress };
    const ended = forces ? endNow(context, id, stop, waits) : null;
    await (ended ? settled(context, ended, stop) : stopInstance(context, id, stop));
    return undefined;
  };
}

/** Whether a forced action goes before the action that an instance is busy with. */
function overtakes(action: StateAction, busy: string | undefined): boolean {
  if (action === 'stop') return busy !== 'start';
  return action === 'restart' && (busy === 'stop' || busy === 'restart');
}

/** A forced stop does not wait for other work, a forced restart only for work that is no stop. @returns the run that ends */
function endNow(
  context: Needs<'model' | 'running'>,
  id: number,
  { action, by }: StopRequest,
  waits: boolean,
): Run | null {
  return forceRun(context, id, action) ?? (waits && action === 'stop' ? killRun(context, id, by) : null);
}

function settled(context: RunNeeds, run: Run, request: StopRequest): Promise<void> {
  const { instanceId: id, handle } = run;
  return context.queue.beside(id, request.action, async () => {
    await handle.ended;
    await context.queue.run(id, request.action, () => finishStop(context, run, request));
  });
}

async function changeState(
  context: RunNeeds & Needs<'adopter'>,
  id: number,
  request: StateRequest,
  by: Requestor,
  progress: UnpackProgress,
): Promise<void> {
  if (request.action === 'freeze') return setFrozen(context, id, true, by);
  if (request.action === 'unfreeze') return setFrozen(context, id, false, by);
  if (request.pid !== undefined) return adoptAgain(context, id, { pid: request.pid }, by);
  return startInstance(context, id, 'instance-started', by, progress);
}

async function setFrozen(
  { running, model }: Needs<'model' | 'running'>,
  id: number,
  frozen: boolean,
  by: Requestor,
): Promise<void> {
  const run = running.get(id);
  if (!run) throw hostError('not-running');
  run.runtime.checkAction(frozen ? 'freeze' : 'unfreeze', model.current(id).config);
  if (run.frozen === frozen) throw hostError(frozen ? 'already-frozen' : 'not-frozen');
  await run.runtime.setFrozen(id, frozen);
  run.frozen = frozen;
  // A forced stop may have come in between, and cannot end frozen processes.
  if (frozen && run.cause) return thaw(run);
  const action = frozen ? 'instance-paused' : 'instance-resumed';
  model.commit([], [lifecycle(action, 'instances', model.current(id).name, { by })]);
}
