import type { DeviceStep } from '../core/devices-plan.ts';
import type { Addition, Change, Config } from '../core/entities.ts';
import { changedLimits } from '../core/limits.ts';
import type { EventDraft } from '../model/model.ts';
import { type PendingDevices, refusing, storeAdditions } from './additions.ts';
import type { Needs } from './needs.ts';
import { named } from './of-instance.ts';
import { changesOf, checkAdded, guestApiChange, type UpdatePlan } from './plan.ts';
import { type Run, targetOf } from './runs.ts';
import { devicesToStart } from './start.ts';

/** Undoes one step on a running instance. */
type Undo = () => Promise<unknown>;

/**
 * Carries out plans: first the steps on running instances, which can fail; then one commit; then it removes
 * the guest API mounts that are switched off. If a later part fails, the steps are undone; if the daemon dies
 * in between, the next one undoes them. Must run in the queues of all these instances.
 * @param more changes and events that belong to the same commit; its changes come first, its events last;
 *   `naming`: errors name the instance that they come from
 */
export async function performPlans(
  context: Needs<'guests' | 'log' | 'model' | 'running' | 'runtimeOf'>,
  plans: readonly UpdatePlan[],
  more: {
    readonly changes: readonly Change[];
    readonly events: readonly EventDraft[];
    readonly naming?: boolean;
  } = { changes: [], events: [] },
): Promise<void> {
  await checkAdded(context, plans);
  const undo: Undo[] = [];
  const announced = await storeAdditions(context, plans);
  try {
    const done: UpdatePlan[] = [];
    for (const plan of plans) {
      const changed = changeRunning(context, plan, announced, undo);
      done.push(
        await changed.catch((error) => Promise.reject(more.naming ? named(plan.next, error) : error)),
      );
    }
    const parts = done.map((plan) => changesOf(context, plan));
    context.model.commit(
      [...more.changes, ...parts.map((part) => part.change), ...announced.drops],
      [...parts.flatMap((part) => part.events), ...more.events],
    );
  } catch (error) {
    // What cannot be undone now is undone by the next daemon.
    const undone = await undoAll(context, undo);
    if (undone && announced.drops.length > 0)
      await undoAll(context, [async () => context.model.commit(announced.drops)]);
    throw error;
  }
  const shut = plans.filter((plan) => guestApiChange(plan) === false);
  for (const plan of shut) disconnect(context, plan);
  for (const plan of shut) await hideGuestApi(context, plan);
}

async function changeRunning(
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

/** Each limit with its own undo. A run that is about to end needs none. */
async function changeLimits(run: Run, { before, after }: UpdatePlan, undo: Undo[]): Promise<void> {
  const { runtime, handle } = run;
  for (const key of changedLimits(before.config, after.config)) {
    if (!handle.init.isAlive()) return;
    undo.push(async () => handle.init.isAlive() && runtime.setLimits(handle.init, before.config, [key]));
    await runtime.setLimits(handle.init, after.config, [key]);
  }
}

/** Closes the connections of an instance. Since the commit, its new requests are refused. */
function disconnect({ running, guests, log }: Needs<'guests' | 'log' | 'running'>, plan: UpdatePlan): void {
  const run = running.get(plan.current.id);
  if (!run) return;
  const connections = guests.closeInstance(run.instanceId, 'security.devlxd is false');
  log.info({ instance: plan.next.name, connections }, 'guest API switched off');
}

/** Removes the guest API mount. A failure, e.g. if the instance has tampered with it, is only logged. */
async function hideGuestApi({ running, log }: Needs<'log' | 'running'>, plan: UpdatePlan): Promise<void> {
  const run = running.get(plan.current.id);
  if (!run) return;
  try {
    await run.runtime.setGuestApiMount(run.handle.init, run.config, false);
  } catch (error) {
    log.warn({ err: error, instance: plan.next.name }, 'could not take /dev/lxd out of an instance');
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

/** @returns whether all could be undone */
async function undoAll({ log }: Needs<'log'>, undo: Undo[]): Promise<boolean> {
  let done = true;
  for (const act of undo.reverse()) {
    try {
      await act();
    } catch (error) {
      done = false;
      log.error({ err: error }, 'could not undo a part of a failed update');
    }
  }
  return done;
}
