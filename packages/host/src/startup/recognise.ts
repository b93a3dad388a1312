import { isTrue } from '../core/booleans.ts';
import type { Addition, Instance } from '../core/entities.ts';
import { hasRawLimits, LIVE_LIMITS } from '../core/limits.ts';
import { afterStop, isRestarting, whileRunning } from '../core/volatile.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import { type Run, targetOf } from '../instances/runs.ts';
import { beginRun } from '../instances/start.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { RunHandle } from '../runtimes/contract/runtime.ts';
import { guarded, type Later } from './later.ts';

/** By instance id, the devices that were being added to running instances when the last daemon ended. */
export type Additions = ReadonlyMap<number, readonly Addition[]>;

/**
 * Finds out whether an instance runs: at once if there is a note of its last run, else later, by asking its
 * runtime. From then on its callers are identified. Work inside the instance is always done later.
 */
export function recognise(
  context: RunNeeds & Needs<'recognition'>,
  { id }: Instance,
  additions: Additions,
  later: Later,
): void {
  const { model, running, recognition } = context;
  const instance = model.current(id);
  const runtime = context.runtimeOf(instance.config);
  const handle = runtime.recall(instance);
  if (handle !== undefined) {
    const more = settle(context, id, handle, additions);
    if (more) void later.add(id, more);
    return;
  }
  const known = Promise.withResolvers<void>();
  recognition.add(id, known.promise);
  void running.whileStarting(() => known.promise);
  const work = async () => {
    const more = await look(context, instance, additions).finally(known.resolve);
    await more?.();
  };
  void later.add(id, work).then(known.resolve);
}

async function look(context: RunNeeds & Needs<'recognition'>, instance: Instance, additions: Additions) {
  try {
    const handle = await context.runtimeOf(instance.config).recover(instance);
    return settle(context, instance.id, handle, additions);
  } catch (error) {
    context.recognition.lose(instance.id);
    throw error;
  }
}

/** @returns the work that is still to be done for the instance; null if there is none */
function settle(
  context: RunNeeds,
  id: number,
  handle: RunHandle | null,
  additions: Additions,
): (() => Promise<void>) | null {
  const { model, log } = context;
  const added = additions.get(id) ?? [];
  const instance = model.current(id);
  if (!handle) {
    if (endedUnwatched(context, instance)) return () => settleUnwatchedEnd(context, id);
    if (added.length > 0) model.commit([{ kind: 'drop-additions', instanceId: id }]);
    return null;
  }
  const run = beginRun(context, instance, handle);
  log.debug({ instance: instance.name, pid: handle.init.pid }, 'instance recognised');
  const told = instance.config['volatile.last_state.power'] === 'RUNNING' || isRestarting(instance.config);
  if (!told) {
    model.commit([
      { kind: 'put-instance', instance: { ...instance, config: whileRunning(instance.config) } },
    ]);
  }
  return run.runtime.owns ? () => restore(context, run, added) : null;
}

/** Restores the guest API mount and the disks of a run, and removes devices of an update that was cut off. */
async function restore(
  context: Needs<'log' | 'model' | 'running'>,
  run: Run,
  added: readonly Addition[],
): Promise<void> {
  const { model, log, running } = context;
  const { instanceId: id, runtime, handle } = run;
  if (running.get(id) !== run) return;
  const { config } = model.expanded(model.current(id));
  const shown = isTrue(config['security.devlxd'], true);
  await guarded(log, id, () => runtime.setGuestApiMount(handle.init, run.config, shown));
  // An update may have been cut off between its limits and its commit.
  for (const key of hasRawLimits(config) ? [] : LIVE_LIMITS) {
    await guarded(log, id, () => runtime.setLimits(handle.init, config, [key]));
  }
  for (const addition of added) {
    const target = targetOf(run, addition.name, addition.device);
    await guarded(log, id, () => runtime.withdraw(target, addition));
  }
  if (added.length > 0) model.commit([{ kind: 'drop-additions', instanceId: id }]);
  await mountMissing(context, run);
}

/** Mounts disks again that the instance still has, but that an update that was cut off may have removed. */
async function mountMissing({ model, log }: Needs<'log' | 'model'>, run: Run): Promise<void> {
  const { devices } = model.expanded(model.current(run.instanceId));
  for (const [name, device] of Object.entries(devices)) {
    if (device['type'] !== 'disk') continue;
    const target = targetOf(run, name, device);
    await guarded(log, run.instanceId, () => run.runtime.attachMissing(target));
  }
}

/** Whether a note says that the run ended. If there is none, the host went down: that is for autostart. */
function endedUnwatched({ runtimeOf }: Needs<'runtimeOf'>, { id, config }: Instance): boolean {
  return config['volatile.last_state.power'] === 'RUNNING' && runtimeOf(config).lastEnding(id) === 'stop';
}

/** Stores the end of a run that ended while no daemon ran. */
async function settleUnwatchedEnd(
  context: Needs<'model' | 'queue' | 'running' | 'runtimeOf' | 'unsettled'>,
  id: number,
): Promise<void> {
  const { model, runtimeOf, unsettled, queue, running } = context;
  const instance = model.instanceById(id);
  if (!instance || running.has(id)) return;
  const told = [lifecycle('instance-shutdown', 'instances', instance.name)];
  const stopped = { ...instance, config: afterStop(instance.config) };
  try {
    model.commit(
      [
        { kind: 'drop-additions', instanceId: id },
        instance.ephemeral ? { kind: 'delete-instance', id } : { kind: 'put-instance', instance: stopped },
      ],
      told,
    );
  } catch (error) {
    unsettled.later(id, () => queue.run(id, 'settle', () => settleUnwatchedEnd(context, id)));
    throw error;
  }
  if (instance.ephemeral) await runtimeOf(instance.config).remove(id);
}
