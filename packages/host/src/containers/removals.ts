import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../base/coded-error.ts';
import { type Container, containerOf } from '../core/container.ts';
import type { Instance } from '../core/entities.ts';
import { deleteInstance } from '../instances/delete.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';

/** How often the daemon looks whether the records of stopped containers still exist. */
const LOOK_MS = 1_000;
/** Records that are looked for at the same time: so a few that do not answer do not hold up the others. */
const AT_ONCE = 8;

/** Deletes an adopted instance when the runtime has removed its container. */
export class Removals {
  readonly #context: RunNeeds & Needs<'model'>;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  constructor(context: RunNeeds & Needs<'model'>) {
    this.#context = context;
  }

  begin(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks for the records of all stopped instances. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { model, running } = this.#context;
    const stopped = [...model.state.instances.values()].filter(({ id }) => !running.has(id)).values();
    const work = Array.from({ length: AT_ONCE }, async () => {
      for (const instance of stopped) await this.#lookFor(instance);
    });
    await Promise.all(work);
    this.#looking = false;
  }

  async #lookFor({ id, name, config }: Instance): Promise<void> {
    const container = containerOf(config);
    if (container === null || !(await isGone(container))) return;
    const { queue, model, running, log } = this.#context;
    try {
      await queue.run(id, 'delete', async () => {
        const current = model.instanceById(id);
        const isSame = current && containerOf(current.config)?.id === container.id;
        if (isSame && !running.has(id)) await deleteInstance(this.#context, id);
      });
    } catch (error) {
      log.debug({ instance: name, reason: messageOf(error) }, 'the instance of a removed container stays');
    }
  }
}

/** Whether a container's record is missing. False if the folder of all records is missing too: see docs/runtimes.md. */
async function isGone({ runtime, record }: Container): Promise<boolean> {
  if (record === '') return false;
  const folder = runtime === 'lxc' ? dirname(dirname(record)) : dirname(record);
  return (await isMissing(record)) && !(await isMissing(folder));
}

async function isMissing(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
