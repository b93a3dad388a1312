import { hostError } from '../../core/errors.ts';
import type { Instance } from '../../core/model.ts';
import type { StateRequest } from '../api.ts';
import type { Context } from '../context.ts';
import type { Requestor } from '../events.ts';
import { lifecycle } from '../lifecycle.ts';
import type { Operation } from '../operations.ts';
import { adoptAgain } from './adopt.ts';
import { settleEnd } from './ended.ts';
import { startInstance } from './start.ts';
import { forceRun, killRun, stopInstance } from './stop.ts';

const DESCRIPTIONS = {
  start: 'Starting instance',
  stop: 'Stopping instance',
  restart: 'Restarting instance',
  freeze: 'Freezing instance',
  unfreeze: 'Unfreezing instance',
} as const;

/** Starts, stops, restarts, freezes or unfreezes an instance. @throws busy at once; the rest in the operation */
export function setState(
  context: Context,
  { id, name }: Instance,
  request: StateRequest,
  by: Requestor,
): Operation {
  const { runner, operations } = context;
  const { action } = request;
  const busy = runner.labels(id).find((label) => label in DESCRIPTIONS);
  const waits = runner.labels(id).length > 0;
  const forces = action === 'stop' && request.force && busy !== 'start';
  if (busy && !forces) throw hostError('busy', action, busy);
  return operations.run({
    description: DESCRIPTIONS[action],
    resources: { instances: [name] },
    work: async (handle) => {
      const tell = (percent: number) =>
        handle.tell({ start_instance_unpack_progress: `Unpack: ${percent}%` });
      if (forces && busy && forceRun(context, id)) {
        await runner.run(id, action, () => {});
        return undefined;
      }
      const killed = forces && request.timeout <= 0 && waits ? killRun(context, id, by) : null;
      await runner.run(id, action, () =>
        killed
          ? settleEnd(context, killed, { kind: 'stopped', by })
          : changeState(context, id, request, by, tell),
      );
      return undefined;
    },
  });
}

async function changeState(
  context: Context,
  id: number,
  request: StateRequest,
  by: Requestor,
  tell: (percent: number) => void,
): Promise<void> {
  if (request.action === 'start' && request.pid !== undefined)
    return adoptAgain(context, id, request.pid, by);
  if (request.action === 'start') return startInstance(context, id, 'instance-started', by, tell);
  if (request.action === 'freeze') return setFrozen(context, id, true, by);
  if (request.action === 'unfreeze') return setFrozen(context, id, false, by);
  const kind = request.action === 'restart' ? 'restart' : undefined;
  const ended = await stopInstance(context, id, request, by, kind);
  if (ended !== 'restart') return;
  await startInstance(context, id, 'instance-restarted', by, tell);
}

async function setFrozen(
  { running, model }: Context,
  id: number,
  frozen: boolean,
  by: Requestor,
): Promise<void> {
  const run = running.get(id);
  if (!run) throw hostError('not-running');
  if (run.frozen === frozen) throw hostError(frozen ? 'already-frozen' : 'not-frozen');
  await run.runtime.setFrozen(id, frozen);
  run.frozen = frozen;
  const action = frozen ? 'instance-paused' : 'instance-resumed';
  model.commit([], [lifecycle(action, 'instances', model.current(id).name, { by })]);
}
