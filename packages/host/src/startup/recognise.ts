import { timestamp } from '../base/clock.ts';
import { isTrue } from '../core/booleans.ts';
import type { Addition, Instance } from '../core/entities.ts';
import { hasRawLimits, LIVE_LIMITS } from '../core/limits.ts';
import { afterStart, afterStop, isRestarting, withHostNames } from '../core/volatile.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import { type Run, targetOf } from '../instances/runs.ts';
import { beginRun, devicesToStart } from '../instances/start.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { RunHandle, Runtime } from '../runtimes/contract/runtime.ts';
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
  const handle = recall(context, runtime, instance);
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

/** A note that cannot be read is like none: the runtime is asked, so that the run is not taken for one that has ended. */
function recall({ log }: Needs<'log'>, runtime: Runtime, instance: Instance): RunHandle | null | undefined {
  try {
    return runtime.recall(instance);
  } catch (error) {
    log.warn({ err: error, instance: instance.id }, 'the note of a run cannot be read');
    return undefined;
  }
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
  const added = additions.get(id) ?? null;
  const instance = model.current(id);
  if (!handle) {
    if (endedUnwatched(context, instance)) return () => settleUnwatchedEnd(context, id);
    if (added) dropAdditions(context, id);
    return null;
  }
  const run = beginRun(context, instance, handle);
  log.debug({ instance: instance.name, pid: handle.init.pid }, 'instance recognised');
  const told = instance.config['volatile.last_state.power'] === 'RUNNING' || isRestarting(instance.config);
  if (!told) storeStart(context, instance, handle);
  else if (lacksHostNames(context, instance)) storeHostNames(context, instance, handle);
  if (run.runtime.owns) return () => restore(context, run, added);
  if (added) dropAdditions(context, id);
  return null;
}

/** Stores a start that the last daemon could not store. */
function storeStart(
  { model, clock }: Needs<'clock' | 'model'>,
  instance: Instance,
  { hostNames }: RunHandle,
): void {
  const config = afterStart(instance.config, hostNames);
  const started = { ...instance, config, lastStartedAt: timestamp(clock) };
  model.commit(
    [{ kind: 'put-instance', instance: started }],
    [lifecycle('instance-started', 'instances', instance.name)],
  );
}

/** Whether the run of the last start that was stored is not this one: the end of that run was not stored. */
function lacksHostNames({ model }: Needs<'model'>, instance: Instance): boolean {
  const { devices } = model.expanded(instance);
  return Object.entries(devices).some(
    ([name, { type }]) => type === 'nic' && instance.config[`volatile.${name}.host_name`] === undefined,
  );
}

function storeHostNames({ model }: Needs<'model'>, instance: Instance, { hostNames }: RunHandle): void {
  const config = withHostNames(instance.config, hostNames);
  if (Object.keys(hostNames).length === 0) return;
  model.commit([{ kind: 'put-instance', instance: { ...instance, config } }]);
}

function dropAdditions({ model }: Needs<'model'>, instanceId: number): void {
  model.commit([{ kind: 'drop-additions', instanceId }]);
}

/**
 * Restores the guest API mount and the disks of a run.
 * @param added not null: an update was cut off; devices that it has added are removed, all others are restored
 */
async function restore(
  context: Needs<'log' | 'model' | 'running'>,
  run: Run,
  added: readonly Addition[] | null,
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
  let undone = true;
  for (const addition of added ?? []) {
    const target = targetOf(run, addition.name, addition.device);
    undone = (await guarded(log, id, () => runtime.withdraw(target, addition))) && undone;
  }
  undone = (await attachMissing(context, run, added !== null)) && undone;
  // What could not be undone is left to the next start, or goes with the run.
  if (added && undone) dropAdditions(context, id);
}

/**
 * Adds devices again that the instance still has, but that an update that was cut off may have removed.
 * @param all of all types, not only disks
 * @returns whether all are there
 */
async function attachMissing(
  { model, log }: Needs<'log' | 'model'>,
  run: Run,
  all: boolean,
): Promise<boolean> {
  const instance = model.current(run.instanceId);
  const devices = devicesToStart(instance, model.expanded(instance).devices);
  let done = true;
  for (const [name, device] of Object.entries(devices)) {
    if (device['type'] !== 'disk' && !all) continue;
    const hostName = instance.config[`volatile.${name}.host_name`];
    const target = targetOf(run, name, hostName ? { ...device, host_name: hostName } : device);
    done = (await guarded(log, run.instanceId, () => run.runtime.attachMissing(target))) && done;
  }
  return done;
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
