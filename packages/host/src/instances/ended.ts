import { afterStop, betweenRuns } from '../core/volatile.ts';
import type { EventDraft } from '../model/event-draft.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { Ending } from '../runtimes/contract/runtime.ts';
import { removeInstance } from './delete.ts';
import { forgetRun } from './forget.ts';
import type { EndNeeds, Needs, RunNeeds } from './needs.ts';
import type { EndCause, Run } from './runs.ts';

/**
 * Handles the end of a run that the daemon has not caused: the instance shut down, rebooted or died.
 * @param restart starts the instance again after a reboot
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
  // An operator may have started or deleted the instance meanwhile.
  if (isOver(context, run)) return;
  await storeEnd(context, run, { cause: { kind: 'shutdown', by: null }, goesOn: reboot }, () =>
    endedByItself(context, run, ending, restart),
  );
  if (reboot) await startAgain(context, run, restart);
}

/** Starts an instance after its reboot. If it reboots again and again, the start waits, to spare the host. */
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
 * Stores the end of a run that the daemon has caused; an ephemeral instance is deleted, unless it restarts.
 * Must run in the instance's queue.
 * @param again the work to do again later if the end cannot be stored now
 * @returns false if there was nothing to store any more
 */
export async function settleEnd(
  context: EndNeeds,
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

/** Whether there is nothing to store any more: it is stored, or the instance is deleted or runs again. */
function isOver({ model, running }: Needs<'model' | 'running'>, { settled, instanceId }: Run): boolean {
  return settled || !model.instanceById(instanceId) || running.has(instanceId);
}

/** Stores the end of a run. A failure is tried again: the instance must not stay stored as running. */
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
 * Stores that a run has ended; an ephemeral instance is deleted, unless it goes on.
 * @param goesOn whether another run follows, which a later daemon may have to start
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
  // An event that the instance caused counts for its share of the journal, which is dropped if it is deleted.
  const extra = cause.by === null && !isDeleted ? { causedBy: id } : { by: cause.by };
  const events: EventDraft[] = action ? [lifecycle(action, 'instances', instance.name, extra)] : [];
  if (isDeleted) {
    const deleted = lifecycle('instance-deleted', 'instances', instance.name);
    // In LXD's order: an instance that ends by itself is seen to end before it is deleted.
    const inOrder = cause.by === null ? [...events, deleted] : [deleted, ...events];
    await model.change(() => ({ changes: [{ kind: 'delete-instance', id }], events: inOrder }));
    context.reboots.forget(id);
    await removeInstance(context, context.runtimeOf(instance.config), instance);
    return;
  }
  const config = goesOn ? betweenRuns(instance.config) : afterStop(instance.config);
  model.commit(
    [
      { kind: 'put-instance', instance: { ...instance, config } },
      // What an update has left in the run that a start could not undo.
      { kind: 'drop-additions', instanceId: id },
    ],
    events,
  );
}
