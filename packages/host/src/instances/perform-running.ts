import type { DeviceStep } from '../core/devices-plan.ts';
import type { Addition, Config } from '../core/entities.ts';
import { changedLimits } from '../core/limits.ts';
import { grownSize } from '../core/root-size.ts';
import { type PendingDevices, refusing } from './additions.ts';
import type { Needs } from './needs.ts';
import { guestApiChange, type UpdatePlan } from './plan.ts';
import { type Run, targetOf } from './runs.ts';
import { devicesToStart } from './start.ts';

/** Undoes one step on a running instance. */
export type Undo = () => Promise<unknown>;

/**
 * Carries out a plan on a running instance.
 * @param undo gets what undoes it, step by step, also if it fails in the middle
 * @returns the plan, with what was made in its volatile keys
 */
export async function changeRunning(
  context: Needs<'running'>,
  plan: UpdatePlan,
  announced: PendingDevices,
  undo: Undo[],
): Promise<UpdatePlan> {
  const run = context.running.get(plan.current.id);
  if (!run) return plan;
  let config: Config = plan.next.config;
  const additions = announced.of.get(run.instanceId) ?? [];
  for (const step of plan.steps) {
    const addition = step.action === 'added' && additions.find(({ name }) => name === step.name);
    config = addition
      ? await add(run, addition, config, undo)
      : await performStep(run, plan, step, config, undo);
  }
  await changeLimits(run, plan, undo);
  if (guestApiChange(plan) === true) {
    await run.runtime.setGuestApiMount(run.handle.init, run.config, true);
    undo.push(() => run.runtime.setGuestApiMount(run.handle.init, run.config, false));
  }
  return { ...plan, next: { ...plan.next, config } };
}

/** Its undo lowers a quota. The file system of an image has its stored size again from the next start on. */
export async function growRoot(
  { running }: Needs<'running'>,
  { current, before, after }: UpdatePlan,
  undo: Undo[],
): Promise<void> {
  const run = running.get(current.id);
  const growth = grownSize(before.devices, after.devices);
  if (!run?.handle.init.isAlive() || !growth) return;
  const { runtime, instanceId } = run;
  undo.push(() => runtime.setRootSize(instanceId, growth.from));
  await runtime.setRootSize(instanceId, growth.to);
}

/** Each limit with its own undo. A run that is about to end needs none. */
async function changeLimits(run: Run, { before, after }: UpdatePlan, undo: Undo[]): Promise<void> {
  const { runtime, handle } = run;
  for (const key of changedLimits(before.config, after.config)) {
    if (!handle.init.isAlive()) return;
    undo.push(async () => handle.init.isAlive() && runtime.setLimits(handle.init, before.config, [key]));
    await runtime.setLimits(handle.init, after.config, [key]);
  }
}

async function performStep(
  run: Run,
  plan: UpdatePlan,
  step: DeviceStep,
  config: Config,
  undo: Undo[],
): Promise<Config> {
  const { runtime } = run;
  const { action, name } = step;
  if (action === 'removed') {
    const started = devicesToStart(plan.current, { [name]: step.device })[name] ?? step.device;
    const made = madeFor(plan.current.config, name);
    // If undone, a nic gets its stored name on the host again, where later changes look for it.
    const before = made.hostName ? { ...started, host_name: made.hostName } : started;
    // A removal that fails may have removed it: its program can be stopped after that.
    undo.push(() => runtime.attachMissing(targetOf(run, name, before)));
    await runtime.detach(targetOf(run, name, started), made);
    return config;
  }
  const target = targetOf(run, name, devicesToStart(plan.next, { [name]: step.device })[name] ?? step.device);
  const { hostName } = madeFor(plan.current.config, name);
  if (!hostName) return config;
  undo.push(() => runtime.updateDevice({ ...target, device: step.previous ?? {} }, hostName));
  await runtime.updateDevice(target, hostName);
  return config;
}

async function add(run: Run, { name, device }: Addition, config: Config, undo: Undo[]): Promise<Config> {
  const target = targetOf(run, name, device);
  const made = await refusing(name, () => run.runtime.attach(target));
  undo.push(() => run.runtime.detach(target, made));
  return withMade(config, name, made);
}

/** Stores in volatile keys what attaching a device has made, so that a later daemon can remove it. */
function withMade(config: Config, name: string, made: { created: boolean; hostName?: string }): Config {
  return {
    ...config,
    ...(made.created ? { [`volatile.${name}.created`]: 'true' } : {}),
    ...(made.hostName ? { [`volatile.${name}.host_name`]: made.hostName } : {}),
  };
}

function madeFor(config: Config, name: string): { created: boolean; hostName?: string } {
  const hostName = config[`volatile.${name}.host_name`];
  return { created: config[`volatile.${name}.created`] === 'true', ...(hostName ? { hostName } : {}) };
}
