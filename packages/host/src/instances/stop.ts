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

/** What a stop is asked for with. */
export interface StopRequest extends Pick<StateRequest, 'timeout' | 'force'> {
  readonly action: 'stop' | 'restart';
  readonly by: Requestor | null;
  readonly progress?: UnpackProgress;
}

/**
 * Stops an instance, and starts it again for a restart: asks its init first unless it is forced; with a timeout and
 * force, asks and then forces. Its queue is held to begin and to settle only, since the instance may take its time.
 * @throws already-stopped, not-ours, shutdown-timeout (it goes on running then), and what a start throws
 */
export function stopInstance(context: RunNeeds, id: number, request: StopRequest): Promise<void> {
  const { queue } = context;
  const { action, by } = request;
  return queue.beside(id, action, async () => {
    const run = await queue.run(id, action, () => beginStop(context, id, request));
    if (!run) return;
    const timeoutMs = isAsked(request) ? request.timeout * MS_PER_SECOND : -1;
    if (!(await within(timeoutMs, run.handle.ended))) {
      if (!request.force) keepRunning(context, run);
      if (run.cause?.kind !== 'restart') run.cause = { kind: 'stopped', by };
      run.runtime.kill(run.handle.init);
      await run.handle.ended;
    }
    await queue.run(id, action, () => finishStop(context, run, request));
  });
}

/** An end that is not asked of the instance, but brought about. */
function isAsked({ timeout, force }: StopRequest): boolean {
  return timeout !== 0 && !(force && timeout < 0);
}

/** @returns null for an instance that did not run, which is stopped, or starts again, already */
async function beginStop(context: RunNeeds, id: number, request: StopRequest): Promise<Run | null> {
  const { action, by } = request;
  const run = context.running.get(id);
  if (!run) return stopWaiting(context, id, request);
  if (!run.runtime.owns)
    throw hostError('not-ours', `${action} it there, or delete it here, which leaves its processes alone`);
  const asked = isAsked(request);
  // Stored before the end begins: from then on it comes back, whatever becomes of this daemon.
  if (action === 'restart') keepPower(context, id, beforeRestart);
  if (asked) run.runtime.halt(run.handle.init);
  run.cause = { kind: action === 'restart' ? action : asked ? 'shutdown' : 'stopped', by };
  if (!asked) run.runtime.kill(run.handle.init);
  await thaw(run);
  return run;
}

/** An instance that has rebooted too often to be started at once is not started any more, or now. */
async function stopWaiting(context: RunNeeds, id: number, request: StopRequest): Promise<null> {
  if (!context.reboots.take(id)) throw hostError('already-stopped');
  const { action, by, progress } = request;
  const restarts = action === 'restart';
  await commitEnd(context, id, { kind: restarts ? action : 'stopped', by }, restarts);
  if (restarts) await startInstance(context, id, 'instance-restarted', by, progress);
  return null;
}

/** Settles a run that has ended, and starts the next one of a restart. The caller holds the queue. */
async function finishStop(context: RunNeeds, run: Run, request: StopRequest): Promise<void> {
  const cause = run.cause as EndCause;
  const ended = await settleEnd(context, run, cause, () => finishStop(context, run, request));
  if (!ended || cause.kind !== 'restart') return;
  await startInstance(context, run.instanceId, 'instance-restarted', request.by, request.progress);
}

/** Settles a run whose end was brought about beside the queue, which the caller holds. */
export async function settleStop(
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
): Promise<void> {
  await settleEnd(context, run, run.cause as EndCause, () => settleStop(context, run));
}

/**
 * Ends a run at once while another stop waits for it to end politely; a restart then is none.
 * @returns it; null when nobody waits
 */
export function forceRun(context: Needs<'model' | 'running'>, id: number): Run | null {
  const run = context.running.get(id);
  if (!run?.cause) return null;
  run.cause = { ...run.cause, kind: 'stopped' };
  run.runtime.kill(run.handle.init);
  withdrawRestart(context, id);
  return run;
}

/** Frozen processes notice a signal, even a deadly one, when they run again. */
async function thaw(run: Run): Promise<void> {
  if (!run.frozen) return;
  run.frozen = false;
  try {
    await run.runtime.setFrozen(run.instanceId, false);
  } catch (error) {
    // Its end may have come first.
    if (run.handle.init.isAlive()) throw error;
  }
}

/**
 * Ends a run at once although other work holds its queue: that work may be waiting for the instance itself, which
 * can make a mount of its own never answer. Who calls this settles the end when its turn comes.
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
