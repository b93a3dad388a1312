import { messageOf } from '../../base/coded-error.ts';
import type { Log } from '../../base/log.ts';
import { cgroupPath } from '../../native/cgroup-path.ts';
import type { FoundRun, Init, Weights } from '../contract/runtime.ts';
import { folderOf } from '../kernel/cgroup-files.ts';
import { cgroupFolders } from './cgroups.ts';
import type { InstancePaths } from './paths.ts';
import { lowerWeight, raiseWeight, type WeightPlace } from './weight-note.ts';

/** The cgroup of an instance's container, in the path of a cgroup; the id of the instance is in its name. */
const PAYLOAD = /^.*?\/lxc\.payload\.(\d+)(?:-\d+)?(?=\/|$)/;

interface Held extends FoundRun {
  readonly place: WeightPlace;
  /** In percent of the usual weight while it is lowered. */
  percent?: number | undefined;
}

/** The weights of running containers on busy processors. */
export class LxcWeights implements Weights {
  readonly #log: Log;
  readonly #newest = new Map<number, Held>();
  readonly #byInit = new WeakMap<Init, Held>();
  /** The last change of each instance's weight, which the next one waits for: all runs of an instance have one note. */
  readonly #changes = new Map<number, Promise<unknown>>();
  readonly #foldersOf: typeof cgroupFolders;
  readonly #folderById: (cgroup: bigint) => string | null;

  /**
   * @param foldersOf the folders of an instance's cgroup in all hierarchies, by the pid of its init
   * @param folderById the folder of a cgroup of the unified hierarchy, by its id
   */
  constructor(log: Log, foldersOf = cgroupFolders, folderById = unifiedFolder) {
    this.#log = log;
    this.#foldersOf = foldersOf;
    this.#folderById = folderById;
  }

  /** Takes note of a run, and raises its weight if a daemon that has died had lowered it. */
  hold(instanceId: number, init: Init, { lowered: note }: InstancePaths): void {
    const held = { instanceId, init, place: this.#placeOf(instanceId, init, note) };
    this.#newest.set(instanceId, held);
    this.#byInit.set(init, held);
    void this.#raise(held).catch((error) => this.#failed(instanceId, error));
  }

  /**
   * Takes note that a run is being killed. Its processes need a processor to end, so it has its own weight again, and
   * keeps it.
   */
  letEnd(init: Init): void {
    const held = this.#byInit.get(init);
    if (!held || !this.#byInit.delete(init) || held.percent === undefined) return;
    void this.#raise(held).catch((error) => this.#failed(held.instanceId, error));
  }

  forget(instanceId: number): void {
    this.#newest.delete(instanceId);
    this.#changes.delete(instanceId);
  }

  find(cgroup: bigint): FoundRun | null {
    const [own, id] = PAYLOAD.exec(this.#folderById(cgroup) ?? '') ?? [];
    const held = this.#newest.get(Number(id));
    // A container of another daemon may have the same id, and then it has another folder.
    return own !== undefined && held?.place.folders.includes(own) ? held : null;
  }

  async lower({ init }: FoundRun, percent: number): Promise<boolean> {
    const held = this.#byInit.get(init);
    return held !== undefined && (await this.#inTurn(held, () => this.#lower(held, percent)));
  }

  async raise({ init }: FoundRun): Promise<void> {
    const held = this.#byInit.get(init);
    if (held) await this.#raise(held);
  }

  /** What live facts say about the weight. */
  live(init: Init): { readonly loweredWeight?: number } {
    const percent = this.#byInit.get(init)?.percent;
    return percent === undefined ? {} : { loweredWeight: percent };
  }

  async #lower(held: Held, percent: number): Promise<boolean> {
    const { init, place } = held;
    const isOver = () => !init.isAlive() || !this.#byInit.has(init);
    if (isOver()) return false;
    try {
      const isLowered = await lowerWeight(place, percent);
      if (isLowered && !isOver()) held.percent = percent;
      // The run has ended meanwhile: the next one may have its folder already, and must not be lowered.
      else if (isLowered) await raiseWeight(place);
      return held.percent === percent;
    } catch (error) {
      // The note may be written, and the weight be lowered.
      await raiseWeight(place);
      throw error;
    }
  }

  #raise(held: Held): Promise<void> {
    return this.#inTurn(held, async () => {
      if (!held.init.isAlive()) return;
      await raiseWeight(held.place);
      held.percent = undefined;
    });
  }

  #inTurn<T>({ instanceId }: Held, change: () => Promise<T>): Promise<T> {
    const done = (this.#changes.get(instanceId) ?? Promise.resolve()).then(change);
    this.#changes.set(
      instanceId,
      done.catch(() => {}),
    );
    return done;
  }

  #placeOf(instanceId: number, init: Init, note: string): WeightPlace {
    const foldersOf = this.#foldersOf;
    let folders: readonly string[] | undefined;
    return {
      note,
      get folders() {
        folders ??= foldersOf(init.pid, instanceId);
        // Read by pid: they are those of this process if it is alive after that.
        return init.isAlive() ? folders : [];
      },
    };
  }

  #failed(instanceId: number, error: unknown): void {
    this.#log.warn({ instanceId, reason: messageOf(error) }, 'could not give an instance its weight back');
  }
}

function unifiedFolder(cgroup: bigint): string | null {
  return cgroupPath(folderOf('', ''), cgroup);
}
