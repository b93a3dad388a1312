import { within } from '../base/within.ts';
import type { Config } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { beforeRestart, isRestarting, whileRunning } from '../core/volatile.ts';
import type { Requestor } from '../model/events.ts';
import { commitEnd, settleEnd } from './ended.ts';
import type { Needs, RunNeeds } from './needs.ts';
import type { StateRequest } from './requests.ts';
import type { UnpackProgress } from './roots.ts';
import type { EndCause, Run } from './runs.ts';
import { startInstance } from './start.ts';

const MS_PER_SECOND = 1000;

/** A request to stop or restart. */
export interface StopRequest extends Pick<StateRequest, 'timeout' | 'force'> {
  readonly action: 'stop' | 'restart';
  readonly by: Requestor | null;
  readonly progress?: UnpackProgress;
}

/**
 * Stops an instance; for a restart, starts it again. Asks init to shut down, or kills it at once with `force`
 * or the timeout 0, as LXD does. Only the begin and the end of this run in the instance's
 * queue, since the instance may take long to shut down.
 * @throws already-stopped, not-ours, restart-frozen, shutdown-timeout (then it still runs), and the errors of a start
 */
export function stopInstance(context: RunNeeds, id: number, request: StopRequest): Promise<void> {
  const { queue } = context;
  const { action } = request;
  return queue.beside(id, action, async () => {
    const run = await queue.run(id, action, () => beginStop(context, id, request));
    if (!run) return;
    const timeoutMs = isAsked(request) ? request.timeout * MS_PER_SECOND : -1;
    if (!(await within(timeoutMs, run.handle.ended))) keepRunning(context, run);
    await queue.run(id, action, () => finishStop(context, run, request));
  });
}

/** Whether init is asked to shut down, instead of being killed at once. */
function isAsked({ timeout, force }: StopRequest): boolean {
  return timeout !== 0 && !force;
}

/** @returns null if the instance waited for its start after a reboot; it is now stopped or restarted */
async function beginStop(context: RunNeeds, id: number, request: StopRequest): Promise<Run | null> {
  const { action, by } = request;
  const run = context.running.get(id);
  if (!run) return stopWaiting(context, id, request);
  const asked = isAsked(request);
  const instance = context.model.current(id);
  run.runtime.checkAction(action === 'stop' && !asked ? 'kill' : action, instance.config);
  if (run.frozen && !request.force && action === 'restart') throw hostError('restart-frozen');
  // Stored before the run ends, so that the instance starts again even if the daemon dies.
  if (action === 'restart') keepPower(context, id, beforeRestart);
  if (asked) run.runtime.halt(run.handle.init, context.model.expanded(instance).config);
  run.cause = { kind: action === 'restart' ? action : asked ? 'shutdown' : 'stopped', by };
  if (!asked) run.runtime.kill(run.handle.init);
  await thaw(run);
  return run;
}

/** Stops or restarts an instance whose start is delayed. */
async function stopWaiting(context: RunNeeds, id: number, request: StopRequest): Promise<null> {
  if (!context.reboots.release(id)) throw hostError('already-stopped');
  const { action, by, progress } = request;
  const restarts = action === 'restart';
  await commitEnd(context, id, { kind: restarts ? action : 'stopped', by }, restarts);
  if (restarts) await startInstance(context, id, 'instance-restarted', by, progress);
  return null;
}

/** Stores the end of a run, and starts the next run of a restart. Must run in the instance's queue. */
export async function finishStop(context: RunNeeds, run: Run, request: StopRequest): Promise<void> {
  const { instanceId: id } = run;
  const cause = run.cause as EndCause;
  await settleEnd(context, run, cause, () => finishStop(context, run, request));
  // Of two requests that end the same run, the first has already started the next one.
  if (cause.kind !== 'restart' || !run.settled || context.running.has(id)) return;
  await startInstance(context, id, 'instance-restarted', request.by, request.progress);
}

/**
 * Kills a run at once while a stop or restart waits for it to shut down. The waiting request then ends as this one: as
 * a stop or as a restart.
 * @returns the run; null if no stop waits
 */
export function forceRun(
  context: Needs<'model' | 'running'>,
  id: number,
  action: StopRequest['action'],
): Run | null {
  const run = context.running.get(id);
  if (!run?.cause) return null;
  const restarts = action === 'restart';
  if (restarts) keepPower(context, id, beforeRestart);
  run.cause = { ...run.cause, kind: restarts ? action : 'stopped' };
  run.runtime.kill(run.handle.init);
  if (!restarts) withdrawRestart(context, id);
  return run;
}

/** Unfreezes a run that is to end: frozen processes handle signals, even SIGKILL, only when they run again. */
export async function thaw(run: Run): Promise<void> {
  if (!run.frozen) return;
  run.frozen = false;
  try {
    await run.runtime.setFrozen(run.instanceId, false);
  } catch (error) {
    // Ignored if the run has ended meanwhile.
    if (run.handle.init.isAlive()) throw error;
  }
}

/**
 * Kills a run at once while other work is in the instance's queue: that work may wait for the instance
 * itself, which can make one of its mounts never answer. The end must then be stored in the queue, with
 * {@link finishStop}.
 */
export function killRun(context: Needs<'running'>, id: number, by: Requestor | null): Run | null {
  const run = context.running.get(id);
  if (!run?.runtime.owns || run.cause || run.frozen) return null;
  run.cause = { kind: 'stopped', by };
  run.runtime.kill(run.handle.init);
  return run;
}

function keepRunning(context: Needs<'model'>, run: Run): never {
  run.cause = null;
  withdrawRestart(context, run.instanceId);
  throw hostError('shutdown-timeout', 'the instance did not shut down in time');
}

function withdrawRestart(context: Needs<'model'>, id: number): void {
  const instance = context.model.instanceById(id);
  if (instance && isRestarting(instance.config)) keepPower(context, id, whileRunning);
}

function keepPower({ model }: Needs<'model'>, id: number, change: (config: Config) => Config): void {
  const instance = model.current(id);
  model.commit([{ kind: 'put-instance', instance: { ...instance, config: change(instance.config) } }]);
}
