import { afterStop, betweenRuns } from '../core/volatile.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { EventDraft } from '../model/model.ts';
import type { Ending } from '../runtimes/contract/runtime.ts';
import { removeInstance } from './delete.ts';
import { forgetRun } from './forget.ts';
import type { Needs, RunNeeds } from './needs.ts';
import type { EndCause, Run } from './runs.ts';

/**
 * Sees to the end of a run that nobody here has asked for: shut down or rebooted from inside, or died.
 * @param restart starts the instance again, after a reboot
 */
export function watchRun(context: RunNeeds, run: Run, restart: () => Promise<void>): void {
  const settle = async () => {
    try {
      const ending = await run.handle.ended;
      forgetRun(context, run, 'instance stopped');
      if (run.cause) return;
      await context.queue.run(run.instanceId, 'stop', () => endedByItself(context, run, ending, restart));
    } catch (error) {
      context.log.error({ err: error, instance: run.instanceId }, 'could not settle the end of an instance');
    }
  };
  void settle();
}

async function endedByItself(
  context: Needs<
    'clock' | 'log' | 'model' | 'reboots' | 'roots' | 'queue' | 'running' | 'runtimeOf' | 'unsettled'
  >,
  run: Run,
  ending: Ending,
  restart: () => Promise<void>,
): Promise<void> {
  const reboot = ending === 'reboot';
  // An operator's start or delete may have come first.
  if (isOver(context, run)) return;
  await storeEnd(context, run, { cause: { kind: 'shutdown', by: null }, goesOn: reboot }, () =>
    endedByItself(context, run, ending, restart),
  );
  if (reboot) await startAgain(context, run, restart);
}

/** An instance that reboots as soon as it runs, again and again, must not keep the host at work. */
async function startAgain(
  context: Needs<'clock' | 'log' | 'model' | 'reboots' | 'queue'>,
  run: Run,
  restart: () => Promise<void>,
): Promise<void> {
  const { reboots, queue, clock, log, model } = context;
  const { instanceId: id, knownSince: since } = run;
  const waitMs = reboots.waitMs(id, clock.now().getTime() - since.getTime());
  if (waitMs === 0) return restart();
  log.warn({ instance: model.current(id).name, waitMs }, 'instance reboots again and again, its start waits');
  const startIfItWaits = async () => {
    if (reboots.take(id)) await restart();
  };
  reboots.wait(id, waitMs, () => {
    queue.run(id, 'start', startIfItWaits).catch((error) => {
      log.error({ err: error, instance: id }, 'could not start an instance that has rebooted');
    });
  });
}

/**
 * Settles the end of a run that somebody here has brought about. The caller holds the queue.
 * @param again does the caller's work again, once the end can be stored, when it cannot be now
 * An ephemeral instance is deleted then, unless it restarts.
 * @returns false when there was nothing to settle any more
 */
export async function settleEnd(
  context: Needs<
    | 'guests'
    | 'identity'
    | 'log'
    | 'model'
    | 'reboots'
    | 'roots'
    | 'queue'
    | 'running'
    | 'runtimeOf'
    | 'unsettled'
  >,
  run: Run,
  cause: EndCause,
  again: () => Promise<void>,
): Promise<boolean> {
  await run.handle.ended;
  forgetRun(context, run, 'instance stopped');
  if (isOver(context, run)) return false;
  await storeEnd(context, run, { cause, goesOn: cause.kind === 'restart' }, again);
  return true;
}

/** Whether there is nothing to settle any more: it is done, or something else has become of the instance. */
function isOver({ model, running }: Needs<'model' | 'running'>, { settled, instanceId }: Run): boolean {
  return settled || !model.instanceById(instanceId) || running.has(instanceId);
}

/** What cannot be stored is done again later: the instance must not count as running for ever. */
async function storeEnd(
  context: Needs<'model' | 'reboots' | 'roots' | 'queue' | 'runtimeOf' | 'unsettled'>,
  run: Run,
  { cause, goesOn }: { cause: EndCause; goesOn: boolean },
  again: () => Promise<void>,
): Promise<void> {
  const { unsettled, queue } = context;
  const { instanceId: id } = run;
  try {
    await commitEnd(context, id, cause, goesOn);
  } catch (error) {
    unsettled.later(id, () => queue.run(id, 'settle', again));
    throw error;
  }
  run.settled = true;
  unsettled.forget(id);
}

const ACTIONS = { shutdown: 'instance-shutdown', stopped: 'instance-stopped', restart: null } as const;

/**
 * Stores that a run has ended; an ephemeral instance is deleted then.
 * @param goesOn another run follows, if need be that of a later daemon
 */
export async function commitEnd(
  context: Needs<'model' | 'reboots' | 'roots' | 'runtimeOf'>,
  id: number,
  cause: EndCause,
  goesOn: boolean,
): Promise<void> {
  const { model } = context;
  const instance = model.current(id);
  const action = ACTIONS[cause.kind];
  const isDeleted = instance.ephemeral && !goesOn;
  // What it does itself counts as its own part of the journal, which goes with it when it is deleted.
  const extra = cause.by === null && !isDeleted ? { causedBy: id } : { by: cause.by };
  const told: EventDraft[] = action ? [lifecycle(action, 'instances', instance.name, extra)] : [];
  if (isDeleted) {
    const deleted = lifecycle('instance-deleted', 'instances', instance.name);
    model.commit([{ kind: 'delete-instance', id }], [deleted, ...told]);
    context.reboots.forget(id);
    await removeInstance(context, context.runtimeOf(instance.config), id);
    return;
  }
  const config = goesOn ? betweenRuns(instance.config) : afterStop(instance.config);
  model.commit([{ kind: 'put-instance', instance: { ...instance, config } }], told);
}
