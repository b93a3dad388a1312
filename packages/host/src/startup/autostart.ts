import { longSleep } from '../base/long-timer.ts';
import { isTrue } from '../core/booleans.ts';
import type { Instance } from '../core/entities.ts';
import { isBetweenRuns, isRestarting } from '../core/volatile.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import { checkStart, startInstance } from '../instances/start.ts';
import { stopInstance } from '../instances/stop.ts';
import { LateStarts } from './late-starts.ts';

const MS_PER_SECOND = 1000;

/**
 * Starts the instances that should run: those with `boot.autostart`; if it is unset, those that ran when the
 * host went down; and always those that were rebooting or restarting when the daemon ended. It starts one
 * after another: higher priority first, then by name. A failure does not stop the rest. An instance whose bridge
 * does not exist yet waits for it, and holds up no other.
 */
export async function autostart(
  context: RunNeeds & Needs<'recognition'>,
  signal: AbortSignal,
): Promise<void> {
  const { model, queue, log, running } = context;
  const due = [...model.state.instances.values()].filter(
    (instance) => !running.has(instance.id) && shallStart(context, instance),
  );
  const late = new LateStarts(context, signal);
  for (const instance of due.sort((one, other) => byPriority(context, one, other))) {
    if (signal.aborted) break;
    const { id, name } = instance;
    try {
      const work = async () => {
        // Checked again: meanwhile the instance may have been started, deleted or found running.
        const still = model.instanceById(id);
        if (!still || running.has(id) || !shallStart(context, still)) return;
        // Before the start: one that fails ends a reboot.
        checkStart(context, still);
        await startInstance(context, id, 'instance-started', null);
        log.info({ instance: name }, 'instance started automatically');
      };
      await queue.run(id, 'start', work);
    } catch (error) {
      if (late.take(instance, error)) continue;
      log.error({ err: error, instance: name }, 'instance could not be started automatically');
    }
    const started = model.instanceById(id);
    const delay = Number(started ? (model.expanded(started).config['boot.autostart.delay'] ?? 0) : 0);
    if (delay > 0) await longSleep(delay * MS_PER_SECOND, signal);
  }
  await late.over();
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

function byPriority({ model }: Needs<'model'>, one: Instance, other: Instance): number {
  const priority = (instance: Instance) =>
    Number(model.expanded(instance).config['boot.autostart.priority'] ?? 0);
  return priority(other) - priority(one) || (one.name < other.name ? -1 : 1);
}
