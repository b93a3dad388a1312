import { Places } from '../../base/places.ts';
import { type Finished, run } from '../../process/run.ts';
import type { LiveFacts } from '../contract/live.ts';
import type { Init } from '../contract/runtime.ts';
import type { InstancePaths } from './paths.ts';
import { isThere } from './root-move.ts';
import { isSubvolume, readQuota } from './root-subvolume.ts';

/** Limit, because an instance may have mounted a file system as its root that never answers. */
const TIMEOUT_MS = 2_000;

/** Name, size of blocks, number of blocks, free blocks, in the format of stat(1). */
const FORMAT = '%n %S %b %f';
/**
 * Maximum number of programs that ask for one instance each: for a quota, or after a program for all did not answer.
 */
const ASKED_AT_ONCE = 8;

type Usage = Pick<LiveFacts, 'diskUsage' | 'diskTotal'>;
type Asked = { readonly init: Init; readonly done: (usage: Usage) => void };

const UNKNOWN: Usage = { diskUsage: null };

/** How much of their roots instances use, if the roots have a limit. Child programs ask the kernel. */
export class RootUsage {
  #asked: Asked[] = [];
  readonly #places = new Places(ASKED_AT_ONCE);
  /** Runs whose root has not answered. They are not asked again. */
  readonly #silent = new WeakSet<Init>();

  async of(init: Init, paths: InstancePaths): Promise<Usage> {
    if (await isThere(paths.image).catch(() => false)) return this.#ofImage(init);
    if (!(await isSubvolume(paths.overlay))) return UNKNOWN;
    const quota = await this.#places.use(() => readQuota(paths.overlay));
    return quota?.limit ? { diskUsage: quota.used, diskTotal: quota.limit } : UNKNOWN;
  }

  /** The root of a run shows the figures of the image, to which it writes. */
  #ofImage(init: Init): Promise<Usage> {
    if (this.#silent.has(init)) return Promise.resolve(UNKNOWN);
    return new Promise((done) => {
      // One program answers all requests of one turn, such as those of a list.
      if (this.#asked.length === 0) setImmediate(() => void this.#askAll());
      this.#asked.push({ init, done });
    });
  }

  async #askAll(): Promise<void> {
    const all = this.#asked;
    this.#asked = [];
    const { timedOut, stdout } = await look(all.map(({ init }) => init));
    // Some of them may be gone, or fail. stat(1) continues with the others.
    if (!timedOut) return answer(all, stdout);
    await Promise.all(all.map((each) => this.#places.use(() => this.#askOne(each))));
  }

  async #askOne(each: Asked): Promise<void> {
    const { timedOut, stdout } = await look([each.init]);
    if (timedOut) this.#silent.add(each.init);
    answer([each], timedOut ? '' : stdout);
  }
}

const rootOf = ({ pid }: Init): string => `/proc/${pid}/root/`;

function look(inits: readonly Init[]): Promise<Finished> {
  return run('stat', ['--file-system', `--format=${FORMAT}`, '--', ...inits.map(rootOf)], {
    timeoutMs: TIMEOUT_MS,
    cwd: '/',
  });
}

function answer(all: readonly Asked[], text: string): void {
  const figures = new Map(text.split('\n').map((line) => cut(line)));
  // The paths have pids. If the init is still alive, the pid was its own, and the figures are those of its run.
  for (const { init, done } of all)
    done(init.isAlive() ? parseUsage(figures.get(rootOf(init)) ?? '') : UNKNOWN);
}

function cut(line: string): readonly [string, string] {
  const at = line.indexOf(' ');
  return [line.slice(0, at), line.slice(at + 1)];
}

/** Reads a line in {@link FORMAT}, without the name. */
export function parseUsage(line: string): Usage {
  const [size = 0, blocks = 0, free = 0] = line.split(' ').map(Number);
  const usage = { diskUsage: (blocks - free) * size, diskTotal: blocks * size };
  // An instance can have its own file system as its root, with any figures. Clients read 64 bits.
  const isPlausible =
    usage.diskTotal > 0 && usage.diskUsage >= 0 && usage.diskTotal <= Number.MAX_SAFE_INTEGER;
  return isPlausible ? usage : UNKNOWN;
}
