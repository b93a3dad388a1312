import { CodedError, messageOf } from '../base/coded-error.ts';
import { longSleep } from '../base/long-timer.ts';
import { isTrue } from '../core/booleans.ts';
import type { Instance } from '../core/entities.ts';
import type { RunNeeds } from '../instances/needs.ts';
import { checkStart, startInstance } from '../instances/start.ts';

/** How often the bridges are looked for: a look costs microseconds. */
const LOOK_MS = 1_000;

/** How long an instance waits for its bridge; systemd-networkd-wait-online(8) waits two minutes for the network. */
const WAIT_MS_MAX = 5 * 60_000;

interface Waiting {
  readonly instance: Instance;
  /** True: the instance starts with the daemon. False: it was rebooting when the host went down. */
  readonly autostart: boolean;
  /** How often its bridge is still looked for. */
  looks: number;
}

/**
 * Instances that are to start with the daemon, but whose bridge does not exist yet: the network of the host may
 * come up later than the daemon. They are started in the order in which they came, as soon as that is possible.
 */
export class LateStarts {
  readonly #context: RunNeeds;
  readonly #signal: AbortSignal;
  #waiting: Waiting[] = [];
  #work: Promise<void> | undefined;

  constructor(context: RunNeeds, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
  }

  /** Takes an instance whose start has failed for want of a bridge. @returns false for other failures */
  take(instance: Instance, error: unknown): boolean {
    if (!isLate(error)) return false;
    const fields = { instance: instance.name, reason: messageOf(error), seconds: WAIT_MS_MAX / 1000 };
    this.#context.log.warn(fields, 'instance waits with its automatic start for a bridge');
    const autostart = this.#isAutostart(instance);
    this.#waiting.push({ instance, autostart, looks: WAIT_MS_MAX / LOOK_MS });
    this.#context.reboots.hold(instance.id);
    this.#work ??= this.#look();
    return true;
  }

  /** Settles when no instance waits any longer. */
  async over(): Promise<void> {
    await this.#work;
  }

  async #look(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#signal.aborted) {
      await longSleep(LOOK_MS, this.#signal);
      for (const one of [...this.#waiting]) {
        if (this.#signal.aborted) return;
        if (await this.#isOver(one)) this.#waiting = this.#waiting.filter((each) => each !== one);
      }
    }
    this.#work = undefined;
  }

  /** Starts an instance if that is possible now. @returns whether it waits no longer */
  async #isOver(one: Waiting): Promise<boolean> {
    const { log, queue, reboots } = this.#context;
    const { id, name } = one.instance;
    try {
      // Looked at outside the queue too: work of the instance must not hold up the others.
      const due = this.#due(one);
      if (due) checkStart(this.#context, due);
      if (due) await queue.run(id, 'start', () => this.#start(one));
    } catch (error) {
      if (isLate(error) && --one.looks > 0) return false;
      log.error({ err: error, instance: name }, 'instance could not be started automatically');
    }
    reboots.release(id);
    return true;
  }

  async #start(one: Waiting): Promise<void> {
    const due = this.#due(one);
    if (!due) return;
    checkStart(this.#context, due);
    await startInstance(this.#context, due.id, 'instance-started', null);
    this.#context.log.info({ instance: due.name }, 'instance started automatically');
  }

  /** The instance, unless an operator has meanwhile deleted, started or stopped it, or switched off its autostart. */
  #due({ instance: { id, lastStartedAt }, autostart }: Waiting): Instance | null {
    const { model, running, reboots } = this.#context;
    const still = model.instanceById(id);
    const isMine = still && !running.has(id) && reboots.waits(id) && still.lastStartedAt === lastStartedAt;
    return isMine && (!autostart || this.#isAutostart(still)) ? still : null;
  }

  #isAutostart(instance: Instance): boolean {
    return isTrue(this.#context.model.expanded(instance).config['boot.autostart'], true);
  }
}

function isLate(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'device-parent-missing';
}
