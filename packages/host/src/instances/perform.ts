import { Places } from '../base/places.ts';
import { filterInSlices, nextTurn, SLICE, slicesOf } from '../base/slices.ts';
import type { Change, Instance } from '../core/entities.ts';
import { changedLimits } from '../core/limits.ts';
import { grownSize } from '../core/root-size.ts';
import type { EventDraft } from '../model/event-draft.ts';
import { checkAdded } from './added-checks.ts';
import { type PendingDevices, storeAdditions } from './additions.ts';
import type { Needs } from './needs.ts';
import { named } from './of-instance.ts';
import { changeRunning, growRoot, type Undo } from './perform-running.ts';
import { changesOf, freshPlan, guestApiChange, type UpdatePlan } from './plan.ts';

/** Running instances that are changed at a time: each may take a program that changes mounts. */
const CHANGED_AT_ONCE = 4;

interface More {
  readonly changes: readonly Change[];
  readonly events: readonly EventDraft[];
  /** Errors name the instance that they come from. */
  readonly naming?: boolean;
  /** Called in the turn of the commit, before it. If it throws, everything is undone. */
  readonly check?: () => void;
  /** Called after that: plans of instances to which the change applies too by then, without work on running ones. */
  readonly newcomers?: () => readonly UpdatePlan[];
}

type Undos = Map<UpdatePlan, Undo[]>;

/**
 * Carries out plans: first the steps on running instances, which can fail, on a few instances at a time; then one
 * commit, in slices if there are many instances; then it removes the guest API mounts that are switched off. If a
 * later part fails, the steps are undone; if the daemon dies in between, the next one undoes them. Must run in the
 * queues of all these instances.
 * @param more changes and events that belong to the same commit; its changes come first, its events last
 */
export async function performPlans(
  context: Needs<'guests' | 'log' | 'model' | 'running' | 'runtimeOf'>,
  plans: readonly UpdatePlan[],
  more: More = { changes: [], events: [] },
): Promise<void> {
  await checkAdded(context, plans);
  const undos: Undos = new Map();
  const announced = await storeAdditions(context, plans);
  try {
    const done = await changeAll(context, plans, { announced, undos, more });
    await growRoots(context, plans, { undos, more });
    await commitPlans(context, done, { ...more, changes: [...more.changes, ...announced.drops] });
  } catch (error) {
    // What cannot be undone now is undone by the next daemon.
    const drops = announced.drops.length > 0 ? [async () => context.model.commit(announced.drops)] : [];
    if (await undoAll(context, undos.values())) await undoAll(context, [drops]);
    throw error;
  }
  const shut = await filterInSlices(plans, (plan) => guestApiChange(plan) === false);
  await hideAll(context, shut);
}

/** Changes the running instances. @returns the plans, with what was made in their volatile keys */
async function changeAll(
  context: Needs<'running'>,
  plans: readonly UpdatePlan[],
  { announced, undos, more }: { announced: PendingDevices; undos: Undos; more: More },
): Promise<UpdatePlan[]> {
  const results = new Map(plans.map((plan) => [plan, plan]));
  const changed = await filterInSlices(plans, (plan) => isChanged(context, plan));
  await someAtATime(changed, more, async (plan) => {
    const undo: Undo[] = [];
    undos.set(plan, undo);
    results.set(plan, await changeRunning(context, plan, announced, undo));
  });
  return [...results.values()];
}

/** Comes last, since a file system that has grown cannot shrink while it is used. */
async function growRoots(
  context: Needs<'running'>,
  plans: readonly UpdatePlan[],
  { undos, more }: { undos: Undos; more: More },
): Promise<void> {
  const growing = await filterInSlices(plans, isGrowing);
  await someAtATime(growing, more, (plan) => {
    const undo = undos.get(plan) ?? [];
    undos.set(plan, undo);
    return growRoot(context, plan, undo);
  });
}

function isGrowing({ before, after }: UpdatePlan): boolean {
  return grownSize(before.devices, after.devices) !== null;
}

/** After a failure it begins no other, and waits for those that it has begun. */
async function someAtATime(
  plans: readonly UpdatePlan[],
  { naming }: More,
  work: (plan: UpdatePlan) => Promise<void>,
): Promise<void> {
  const waiting = plans.values();
  const failures: unknown[] = [];
  const worker = async () => {
    for (const plan of waiting) {
      if (failures.length > 0) return;
      await work(plan).catch((error) => failures.push(naming ? named(plan.next, error) : error));
    }
  };
  await Promise.all(Array.from({ length: CHANGED_AT_ONCE }, worker));
  if (failures.length > 0) throw failures[0];
}

function isChanged({ running }: Needs<'running'>, plan: UpdatePlan): boolean {
  const { current, before, after, steps } = plan;
  if (!running.has(current.id)) return false;
  return (
    steps.length > 0 || changedLimits(before.config, after.config).length > 0 || guestApiChange(plan) === true
  );
}

function commitPlans({ model }: Needs<'model'>, plans: readonly UpdatePlan[], more: More): Promise<void> {
  const byId = new Map(plans.map((plan) => [plan.next.id, plan]));
  const partOf = (current: Instance) => {
    const plan = byId.get(current.id) as UpdatePlan;
    return changesOf(freshPlan(model, plan, more.changes), current);
  };
  const newcomers = () => {
    const late = more.newcomers?.() ?? [];
    for (const plan of late) byId.set(plan.next.id, plan);
    return late.map(({ next }) => next.id);
  };
  return model.commitMany({ ...more, ids: [...byId.keys()], partOf, newcomers });
}

/** Since the commit, new requests of these instances are refused; now their connections go, then the mounts. */
async function hideAll(
  context: Needs<'guests' | 'log' | 'running'>,
  plans: readonly UpdatePlan[],
): Promise<void> {
  for (const slice of slicesOf(plans)) {
    for (const plan of slice) disconnect(context, plan);
    if (plans.length > SLICE) await nextTurn();
  }
  const places = new Places(CHANGED_AT_ONCE);
  await Promise.all(plans.map((plan) => places.use(() => hideGuestApi(context, plan))));
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

/**
 * Undoes the steps of each instance, the last one first; a few instances at a time.
 * @returns whether all could be undone
 */
async function undoAll({ log }: Needs<'log'>, undos: Iterable<Undo[]>): Promise<boolean> {
  let done = true;
  const guarded = async (act: Undo) => {
    try {
      await act();
    } catch (error) {
      done = false;
      log.error({ err: error }, 'could not undo a part of a failed update');
    }
  };
  const places = new Places(CHANGED_AT_ONCE);
  const undo = (steps: Undo[]) =>
    places.use(async () => {
      for (const step of steps.reverse()) await guarded(step);
    });
  await Promise.all([...undos].map(undo));
  return done;
}
