import { timestamp } from '../base/clock.ts';
import { messageOf } from '../base/coded-error.ts';
import { isTrue } from '../core/booleans.ts';
import type { Devices, Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { afterStart, afterStop, hasHostNames, isBetweenRuns, withoutHostNames } from '../core/volatile.ts';
import type { Requestor } from '../model/events.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { RunHandle, Runtime } from '../runtimes/contract/runtime.ts';
import { watchRun } from './ended.ts';
import type { Needs, RunNeeds } from './needs.ts';
import type { UnpackProgress } from './roots.ts';
import type { Run } from './runs.ts';
import { applyTemplates } from './templates.ts';

/**
 * Starts an instance. Must run in the instance's queue. If the start of a reboot or restart fails, the
 * instance is stored as stopped.
 * @param action the action of the lifecycle event
 * @throws already-running, not-ours, image-not-found, device-start-failed, device-parent-missing, runtime-failed
 */
export async function startInstance(
  context: RunNeeds,
  id: number,
  action: 'instance-started' | 'instance-restarted',
  by: Requestor | null,
  progress: UnpackProgress = () => {},
): Promise<void> {
  const { running, reboots, unsettled } = context;
  if (running.has(id)) throw hostError('already-running');
  reboots.take(id);
  unsettled.forget(id);
  try {
    await start(context, id, progress);
    commitStart(context, id, action, by);
  } catch (error) {
    if (!running.has(id)) giveUpReboot(context, id);
    throw error;
  }
}

/** Checks what a start needs of the host and may come late. @throws device-parent-missing */
export function checkStart({ model, runtimeOf }: Needs<'model' | 'runtimeOf'>, instance: Instance): void {
  const { config, devices } = model.expanded(instance);
  runtimeOf(config).checkStart(devices);
}

async function start(context: RunNeeds, id: number, progress: UnpackProgress): Promise<void> {
  const { model, running } = context;
  const instance = model.current(id);
  const { config } = model.expanded(instance);
  const runtime = context.runtimeOf(config);
  runtime.checkAction('start', config);
  checkStart(context, instance);
  const ids = runtime.hostIds(config);
  const image = (fingerprint: string) => model.state.images.get(fingerprint);
  const lower = await context.roots.ensure(instance, ids, image, progress);
  await runtime.create(id, config);
  const isNamed = await applyTemplates(context, instance, model.expanded(instance), { runtime, lower });
  forgetHostNames(context, id);
  await running.whileStarting(async () => {
    const devices = devicesToStart(instance, model.expanded(instance).devices);
    const devlxd = isTrue(config['security.devlxd'], true);
    const handle = await runtime.start({
      ...{ id, name: instance.name, config, devices, lower, devlxd },
      namesHost: !isNamed,
    });
    beginRun(context, model.current(id), handle);
  });
}

/**
 * Forgets interfaces of a run whose end was never stored, such as when the host went down: they must not be taken for
 * those of this run, if the daemon dies before it has stored the start.
 */
function forgetHostNames({ model }: Needs<'model'>, id: number): void {
  const instance = model.current(id);
  if (!hasHostNames(instance.config)) return;
  const config = withoutHostNames(instance.config);
  model.commit([{ kind: 'put-instance', instance: { ...instance, config } }]);
}

function giveUpReboot({ model }: Needs<'model'>, id: number): void {
  const instance = model.current(id);
  if (!isBetweenRuns(instance.config)) return;
  model.commit([{ kind: 'put-instance', instance: { ...instance, config: afterStop(instance.config) } }]);
}

/** Registers a run, so that its callers are recognised, and watches for its end. */
export function beginRun(context: RunNeeds, instance: Instance, handle: RunHandle): Run {
  const { model, running } = context;
  const { id } = instance;
  const { config } = model.expanded(instance);
  const runtime = context.runtimeOf(config);
  const runNumber = register(context, id, runtime, handle);
  const { frozen } = handle;
  const since = context.clock.now();
  const ending = { cause: null, settled: false };
  const run: Run = {
    instanceId: id,
    runNumber,
    handle,
    runtime,
    config,
    knownSince: since,
    frozen,
    ...ending,
  };
  running.add(run);
  watchRun(context, run, () => startInstance(context, id, 'instance-restarted', null));
  return run;
}

/** Registers a run. If that fails, ends it, since its callers would be unknown; an adopted run goes on. */
function register(
  { identity, model }: Needs<'identity' | 'model'>,
  id: number,
  runtime: Runtime,
  handle: RunHandle,
): number {
  try {
    return identity.register(id, handle.init);
  } catch (error) {
    if (runtime.owns) runtime.kill(handle.init);
    handle.release();
    const owner = model.instanceById((error as { instanceId?: number }).instanceId ?? 0)?.name;
    const why =
      owner === undefined ? messageOf(error) : `its PID namespace belongs to the instance "${owner}"`;
    throw hostError('runtime-failed', `The instance cannot be identified: ${why}`);
  }
}

function commitStart(
  { model, clock, running }: Needs<'clock' | 'model' | 'running'>,
  id: number,
  action: string,
  by: Requestor | null,
): void {
  const instance = model.current(id);
  const hostNames = running.get(id)?.handle.hostNames ?? {};
  const config = afterStart(instance.config, hostNames);
  const started = { ...instance, config, lastStartedAt: timestamp(clock) };
  // A reboot without an operator was caused by the instance itself.
  const extra = action === 'instance-restarted' && by === null ? { causedBy: id } : { by };
  model.commit(
    [{ kind: 'put-instance', instance: started }],
    [lifecycle(action, 'instances', instance.name, extra)],
  );
}

/** The devices, each nic with its name and address, configured or kept in volatile keys. */
export function devicesToStart(instance: Instance, devices: Devices): Devices {
  const named = Object.entries(devices).map(([name, device]) => {
    if (device['type'] !== 'nic') return [name, device] as const;
    const own = (option: string) => device[option] ?? instance.config[`volatile.${name}.${option}`];
    const hwaddr = own('hwaddr');
    const inside = own('name') ?? name;
    return [name, { ...device, name: inside, ...(hwaddr ? { hwaddr } : {}) }] as const;
  });
  return Object.fromEntries(named);
}
