import type { Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import type { Requestor } from '../model/events.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { Operation } from '../model/operation.ts';
import type { OperationSpec } from '../model/operations.ts';
import { adoptAgain } from './adopt.ts';
import type { EndNeeds, Needs, RunNeeds } from './needs.ts';
import type { StateRequest } from './requests.ts';
import type { UnpackProgress } from './roots.ts';
import type { Run } from './runs.ts';
import { startInstance } from './start.ts';
import { forceRun, killRun, settleStop, stopInstance, thaw } from './stop.ts';

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
  const forces = action === 'stop' && request.force && busy !== 'start';
  if (busy && !forces) throw hostError('busy', action, busy);
  return async (handle) => {
    const progress = (percent: number) =>
      handle.report({ start_instance_unpack_progress: `Unpack: ${percent}%` });
    const ended = forces ? endNow(context, id, { waits, by }) : null;
    if (ended) await settled(context, ended, action);
    else if (action === 'stop' || action === 'restart')
      await stopInstance(context, id, { ...request, action, by, progress });
    else await queue.run(id, action, () => changeState(context, id, request, by, progress));
    return undefined;
  };
}

/** A forced stop does not wait for other work. @returns the run that it has ended, or null */
function endNow(
  context: Needs<'model' | 'running'>,
  id: number,
  { waits, by }: { waits: boolean; by: Requestor },
): Run | null {
  return forceRun(context, id) ?? (waits ? killRun(context, id, by) : null);
}

function settled(context: EndNeeds, run: Run, action: string): Promise<void> {
  const { instanceId: id, handle } = run;
  return context.queue.beside(id, action, async () => {
    await handle.ended;
    await context.queue.run(id, action, () => settleStop(context, run));
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
