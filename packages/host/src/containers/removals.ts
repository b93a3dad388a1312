import { dirname } from 'node:path';
import { messageOf } from '../base/coded-error.ts';
import { type Container, containerOf } from '../core/container.ts';
import { deleteInstance } from '../instances/delete.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import type { Look } from './looks/looks.ts';

/** How often the daemon looks whether the records of stopped containers still exist. */
const LOOK_MS = 1_000;
/** The daemon looks again at a folder that did not answer after this time, because a program may still wait there. */
const PAUSE_MS = 60_000;

type RemovalNeeds = RunNeeds & Needs<'model' | 'clock'>;

/** An instance that is stopped, and its container. */
interface Stopped {
  readonly id: number;
  readonly name: string;
  readonly container: Container;
}

/** Deletes an adopted instance when the runtime has removed its container. */
export class Removals {
  readonly #context: RemovalNeeds;
  readonly #lookAs: (owner: string) => Look;
  /** By user and folder of records: when the daemon looks again, in milliseconds. */
  readonly #paused = new Map<string, number>();
  /** Folders at which the daemon looks now. If one does not answer, it does not hold up the others. */
  readonly #busy = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param lookAs looks with the rights of the user who has started a container; empty for root */
  constructor(context: RemovalNeeds, lookAs: (owner: string) => Look) {
    this.#context = context;
    this.#lookAs = lookAs;
  }

  begin(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stopped = true;
  }

  /** Looks for the records of all stopped instances. One look is for all records in one folder. */
  async look(): Promise<void> {
    const { model, running } = this.#context;
    const byPlace = new Map<string, Stopped[]>();
    for (const { id, name, config } of model.state.instances.values()) {
      const container = running.has(id) ? null : containerOf(config);
      if (container === null || container.record === '') continue;
      const place = `${container.owner}:${folderOf(container)}`;
      byPlace.set(place, [...(byPlace.get(place) ?? []), { id, name, container }]);
    }
    await Promise.all(Array.from(byPlace, ([place, stopped]) => this.#lookIn(place, stopped)));
  }

  /** @param place user and folder, which are those of all these containers */
  async #lookIn(place: string, stopped: readonly Stopped[]): Promise<void> {
    const nowMs = this.#context.clock.now().getTime();
    const first = stopped[0]?.container;
    if (!first || this.#busy.has(place) || nowMs < (this.#paused.get(place) ?? 0)) return;
    const folder = folderOf(first);
    this.#busy.add(place);
    this.#paused.delete(place);
    try {
      const looked = await this.#lookAs(first.owner)({
        files: stopped.map(({ container }) => container.record),
        folders: [folder],
      });
      // If the folder of all records is missing too, its disk may not be mounted: see docs/runtimes.md.
      const gone = stopped.filter(({ container }) => looked.isMissing(container.record));
      if (looked.isFolder(folder) && !this.#stopped) for (const each of gone) await this.#remove(each);
    } catch (error) {
      this.#paused.set(place, nowMs + PAUSE_MS);
      this.#context.log.debug({ folder, reason: messageOf(error) }, 'records cannot be looked for');
    } finally {
      this.#busy.delete(place);
    }
  }

  async #remove({ id, name, container }: Stopped): Promise<void> {
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

/** The folder with the records of all containers. */
function folderOf({ runtime, record }: Container): string {
  return runtime === 'lxc' ? dirname(dirname(record)) : dirname(record);
}
