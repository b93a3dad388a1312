import { afterStop } from '../../core/volatile.ts';
import type { Context } from '../context.ts';
import { lifecycle } from '../lifecycle.ts';
import type { Announcement } from '../model.ts';
import type { EndCause, Run } from '../running.ts';
import type { Ending } from '../runtime.ts';
import { removeInstance } from './delete.ts';
import { forgetRun } from './forget.ts';

/**
 * Sees to the end of a run that nobody here has asked for: shut down or rebooted from inside, or died.
 * @param restart starts the instance again, after a reboot
 */
export function watchRun(context: Context, run: Run, restart: () => Promise<void>): void {
  const settle = async () => {
    try {
      const ending = await run.process.ended;
      forgetRun(context, run, 'instance stopped');
      if (run.cause) return;
      await context.runner.run(run.instanceId, 'stop', () => endedByItself(context, run, ending, restart));
    } catch (error) {
      context.log.error({ err: error, instance: run.instanceId }, 'could not settle the end of an instance');
    }
  };
  void settle();
}

async function endedByItself(
  context: Context,
  run: Run,
  ending: Ending,
  restart: () => Promise<void>,
): Promise<void> {
  const { model } = context;
  // An operator's start or delete may have come first.
  if (!model.instanceById(run.instanceId) || context.running.has(run.instanceId)) return;
  const reboot = ending === 'reboot';
  commitEnd(context, run, { kind: 'shutdown', by: null }, reboot);
  if (reboot) await restart();
  else await removeFilesOfDeleted(context, run);
}

/**
 * Settles the end of a run that somebody here has brought about. The caller holds the queue.
 * @returns when the run is over and its end is stored; an ephemeral instance is deleted then, unless it restarts
 */
export async function settleEnd(context: Context, run: Run, cause: EndCause): Promise<void> {
  await run.process.ended;
  forgetRun(context, run, 'instance stopped');
  commitEnd(context, run, cause, cause.kind === 'restart');
  await removeFilesOfDeleted(context, run);
}

const ACTIONS = { shutdown: 'instance-shutdown', stopped: 'instance-stopped', restart: null } as const;

function commitEnd(context: Context, run: Run, cause: EndCause, goesOn: boolean): void {
  const { model } = context;
  const instance = model.current(run.instanceId);
  const action = ACTIONS[cause.kind];
  const told: Announcement[] = action
    ? [lifecycle(action, 'instances', instance.name, { by: cause.by })]
    : [];
  if (instance.ephemeral && !goesOn) {
    const deleted = lifecycle('instance-deleted', 'instances', instance.name);
    model.commit([{ kind: 'delete-instance', id: instance.id }], [deleted, ...told]);
    return;
  }
  const stopped = { ...instance, config: afterStop(instance.config) };
  model.commit([{ kind: 'put-instance', instance: stopped }], told);
}

async function removeFilesOfDeleted(context: Context, run: Run): Promise<void> {
  if (!context.model.instanceById(run.instanceId)) await removeInstance(context, run.runtime, run.instanceId);
}
