import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { isTrue } from '../core/booleans.ts';
import type { Change, Instance } from '../core/model.ts';
import { afterStop, isBetweenRuns, withoutReady } from '../core/volatile.ts';
import type { Context } from './context.ts';
import { beginRun, startInstance } from './instances/start.ts';
import { lifecycle } from './lifecycle.ts';
import { DEFAULT_PROFILE } from './profiles.ts';
import { type Run, targetOf } from './running.ts';
import type { Ending } from './runtime.ts';

/**
 * Brings the daemon's picture and the host into agreement after whatever ended the last daemon: finds the
 * instances that went on running and settles those that have ended. It must be
 * done before the guest API's socket is there, so that no caller meets a daemon that does not know it yet.
 */
export async function recover(context: Context): Promise<void> {
  const { model } = context;
  if (!model.state.profiles.has(DEFAULT_PROFILE.name)) {
    model.commit([{ kind: 'put-profile', profile: DEFAULT_PROFILE }]);
  }
  forgetReady(context);
  for (const instance of [...model.state.instances.values()]) {
    await guarded(context.log, instance.id, () => recoverInstance(context, instance));
  }
  const unfinished = [...model.additions().keys()];
  commitIfPossible(
    context,
    unfinished.map((instanceId) => ({ kind: 'drop-additions', instanceId })),
  );
  const { size } = model.state.instances;
  if (size > 0) context.log.info({ instances: size, running: context.running.size }, 'instances recognised');
}

/** One instance's trouble, which may be of its own making, must not keep the daemon from the others. */
async function guarded(log: Log, instance: number, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.error({ err: error, instance }, 'an instance could not be settled at the start');
  }
}

/** As many as a full disk has room for. */
const CHANGES_AT_ONCE = 50;

/** An instance must say anew that it is ready, as with LXD. */
function forgetReady(context: Context): void {
  const changes: Change[] = [...context.model.state.instances.values()]
    .filter((instance) => instance.config['volatile.last_state.ready'] !== undefined)
    .map((instance) => ({
      kind: 'put-instance',
      instance: { ...instance, config: withoutReady(instance.config) },
    }));
  for (let at = 0; at < changes.length; at += CHANGES_AT_ONCE) {
    commitIfPossible(context, changes.slice(at, at + CHANGES_AT_ONCE));
  }
}

/** What the disk does not take now is no reason not to serve. */
function commitIfPossible({ model, log }: Context, changes: readonly Change[]): void {
  try {
    if (changes.length > 0) model.commit(changes);
  } catch (error) {
    log.error({ reason: messageOf(error) }, 'a part of the last run could not be settled at the start');
  }
}

async function recoverInstance(context: Context, instance: Instance): Promise<void> {
  const { model, log } = context;
  const runtime = context.runtimeOf(instance.config);
  const process = await runtime.recover(instance);
  if (!process) return settleUnwatchedEnd(context, instance, runtime.lastEnding(instance.id));
  const run = beginRun(context, instance, process);
  if (instance.config['volatile.last_state.power'] !== 'RUNNING') {
    const config = { ...model.current(instance.id).config, 'volatile.last_state.power': 'RUNNING' };
    model.commit([{ kind: 'put-instance', instance: { ...instance, config } }]);
  }
  log.debug({ instance: instance.name, pid: process.init.pid }, 'instance recognised');
  const shown = isTrue(model.expanded(instance).config['security.devlxd'], true);
  await runtime.setWindow(process.init, run.config, shown);
  await withdrawUnfinished(context, run);
  await mountMissing(context, run);
}

/** Devices that were on their way into the instance, and never became its own. */
async function withdrawUnfinished({ model, log }: Context, run: Run): Promise<void> {
  for (const addition of model.additions().get(run.instanceId) ?? []) {
    const target = targetOf(run, addition.name, addition.device);
    await guarded(log, run.instanceId, () => run.runtime.withdraw(target, addition));
  }
}

/** A removal that was cut off may have taken a disk out of the instance that is still its own. */
async function mountMissing({ model, log }: Context, run: Run): Promise<void> {
  const { devices } = model.expanded(model.current(run.instanceId));
  for (const [name, device] of Object.entries(devices)) {
    if (device['type'] !== 'disk') continue;
    const target = targetOf(run, name, device);
    await guarded(log, run.instanceId, () => run.runtime.attachMissing(target));
  }
}

/** It ended while no daemon watched. Without a note of how, the host went down with it: that is for autostart. */
async function settleUnwatchedEnd(
  { model, runtimeOf }: Context,
  instance: Instance,
  ending: Ending | undefined,
): Promise<void> {
  if (instance.config['volatile.last_state.power'] !== 'RUNNING' || ending !== 'stop') return;
  const told = [lifecycle('instance-shutdown', 'instances', instance.name)];
  if (instance.ephemeral) {
    model.commit([{ kind: 'delete-instance', id: instance.id }], told);
    await runtimeOf(instance.config).remove(instance.id);
    return;
  }
  const stopped = { ...instance, config: afterStop(instance.config) };
  model.commit([{ kind: 'put-instance', instance: stopped }], told);
}

const MS_PER_SECOND = 1000;

/**
 * Starts the instances that shall run: those with `boot.autostart`, and, where it is unset, those that ran when
 * the host went down; those that were rebooting when the daemon ended, in any case. One after
 * another: higher priority first, then by name; a failure does not stop the rest.
 */
export async function autostart(context: Context, signal: AbortSignal): Promise<void> {
  const { model, runner, log, running } = context;
  const due = [...model.state.instances.values()].filter(
    (instance) => !running.has(instance.id) && shallStart(context, instance),
  );
  for (const { id, name } of due.sort((one, other) => byPriority(context, one, other))) {
    if (signal.aborted) return;
    try {
      await runner.run(id, 'start', () => startInstance(context, id, 'instance-started', null));
      log.info({ instance: name }, 'instance started automatically');
    } catch (error) {
      log.error({ err: error, instance: name }, 'instance could not be started automatically');
    }
    const started = model.instanceById(id);
    const delay = Number(started ? (model.expanded(started).config['boot.autostart.delay'] ?? 0) : 0);
    if (delay > 0) await sleep(delay * MS_PER_SECOND, signal);
  }
}

function shallStart({ model, runtimeOf }: Context, instance: Instance): boolean {
  const { config } = model.expanded(instance);
  const power = instance.config['volatile.last_state.power'];
  const wasRunning = power === 'RUNNING';
  // A reboot goes on, whatever is said of the host's own start.
  const reboots = wasRunning && runtimeOf(instance.config).lastEnding(instance.id) === 'reboot';
  if (reboots || isBetweenRuns(instance.config)) return true;
  return isTrue(config['boot.autostart'], wasRunning);
}

function byPriority({ model }: Context, one: Instance, other: Instance): number {
  const priority = (instance: Instance) =>
    Number(model.expanded(instance).config['boot.autostart.priority'] ?? 0);
  return priority(other) - priority(one) || (one.name < other.name ? -1 : 1);
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
