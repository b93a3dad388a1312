import { longSleep } from '../base/long-timer.ts';
import { isTrue } from '../core/booleans.ts';
import type { Instance } from '../core/entities.ts';
import { isBetweenRuns, isRestarting } from '../core/volatile.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import { checkStart, startInstance } from '../instances/start.ts';
import { stopInstance } from '../instances/stop.ts';
import { LateStarts } from './late-starts.ts';

const MS_PER_SECOND = 1000;

/** How many instances of one priority start at a time. A start keeps a processor busy for most of its time. */
const STARTED_AT_ONCE = 4;

/**
 * Starts the instances that should run: those with `boot.autostart`; if it is unset, those that ran when the
 * host went down; and always those that were rebooting or restarting when the daemon ended. Higher priorities go
 * first: the next one begins when all of the one before have started. Those of one priority begin by name, a few at
 * a time; after one with a delay, the next one begins when it has started and the delay is over. A failure does not
 * stop the rest. An instance whose bridge does not exist yet waits for it, and holds up no other.
 */
export async function autostart(
  context: RunNeeds & Needs<'recognition'>,
  signal: AbortSignal,
): Promise<void> {
  const { model, running } = context;
  const due = [...model.state.instances.values()].filter(
    (instance) => !running.has(instance.id) && shallStart(context, instance),
  );
  const groups = Map.groupBy(due, (instance) => priorityOf(context, instance));
  const late = new LateStarts(context, signal);
  for (const priority of [...groups.keys()].sort((one, other) => other - one)) {
    await startGroup(context, groups.get(priority) as Instance[], { late, signal });
  }
  await late.over();
}

interface Starting {
  readonly late: LateStarts;
  readonly signal: AbortSignal;
}

/** Starts the instances of one priority; settles when all of them have started. */
async function startGroup(
  context: RunNeeds & Needs<'recognition'>,
  instances: Instance[],
  { late, signal }: Starting,
): Promise<void> {
  const going = new Set<Promise<void>>();
  for (const instance of instances.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    if (going.size >= STARTED_AT_ONCE) await Promise.race(going);
    if (signal.aborted) break;
    let waits = false;
    const start = startOne(context, instance).catch((error) => {
      waits = late.take(instance, error);
      if (!waits)
        context.log.error(
          { err: error, instance: instance.name },
          'instance could not be started automatically',
        );
    });
    const mine = start.finally(() => going.delete(mine));
    going.add(mine);
    if (delayOf(context, instance) === 0) continue;
    await mine;
    if (!waits) await longSleep(delayOf(context, instance) * MS_PER_SECOND, signal);
  }
  await Promise.all(going);
}

async function startOne(
  context: RunNeeds & Needs<'recognition'>,
  { id, name }: Pick<Instance, 'id' | 'name'>,
): Promise<void> {
  const { model, queue, log, running } = context;
  await queue.run(id, 'start', async () => {
    // Checked again: meanwhile the instance may have been started, deleted or found running.
    const still = model.instanceById(id);
    if (!still || running.has(id) || !shallStart(context, still)) return;
    // Before the start: one that fails ends a reboot.
    checkStart(context, still);
    await startInstance(context, id, 'instance-started', null);
    log.info({ instance: name }, 'instance started automatically');
  });
}

/** Seconds to wait after the start of an instance; 0 if it is gone. */
function delayOf({ model }: Needs<'model'>, { id }: Pick<Instance, 'id'>): number {
  const instance = model.instanceById(id);
  return instance ? Number(model.expanded(instance).config['boot.autostart.delay'] ?? 0) : 0;
}

/**
 * Continues the restarts that were cut off before the run had ended. It is not known whether init had been
 * asked to shut down, and with which timeout: it is asked again, without a timeout.
 */
export async function finishRestarts(context: RunNeeds): Promise<void> {
  const { model, running, log } = context;
  const due = [...model.state.instances.values()].filter(
    (instance) => running.has(instance.id) && isRestarting(instance.config),
  );
  const restart = async ({ id, name }: Instance) => {
    log.info({ instance: name }, 'a restart that was cut off goes on');
    try {
      await stopInstance(context, id, { action: 'restart', timeout: -1, force: false, by: null });
    } catch (error) {
      log.error({ err: error, instance: name }, 'instance could not be restarted');
    }
  };
  await Promise.all(due.map(restart));
}

function shallStart(
  { model, runtimeOf, recognition }: Needs<'model' | 'recognition' | 'runtimeOf'>,
  instance: Instance,
): boolean {
  if (recognition.isLost(instance.id)) return false;
  const { config } = model.expanded(instance);
  const wasRunning = instance.config['volatile.last_state.power'] === 'RUNNING';
  const ending = wasRunning ? runtimeOf(instance.config).lastEnding(instance.id) : undefined;
  // A reboot continues, also if `boot.autostart` is false.
  const reboots = ending === 'reboot';
  if (reboots || isBetweenRuns(instance.config) || isRestarting(instance.config)) return true;
  // A run with a note that it stopped had ended before the host went down, even if that is not stored yet.
  return isTrue(config['boot.autostart'], wasRunning && ending !== 'stop');
}

function priorityOf({ model }: Needs<'model'>, instance: Instance): number {
  return Number(model.expanded(instance).config['boot.autostart.priority'] ?? 0);
}
