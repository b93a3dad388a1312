import { type Finished, run } from '../../process/run.ts';
import type { LiveFacts } from '../contract/live.ts';
import type { Init } from '../contract/runtime.ts';
import type { InstancePaths } from './paths.ts';
import { isThere } from './root-move.ts';
import { isSubvolume, readQuota } from './root-subvolume.ts';

/** Limit, because an instance may have mounted a file system as its root that never answers. */
const TIMEOUT_MS = 2_000;

/** Size of blocks, number of blocks, free blocks, in the format of stat(1). */
const FORMAT = '%S %b %f';

type Usage = Pick<LiveFacts, 'diskUsage' | 'diskTotal'>;
type Asked = { readonly init: Init; readonly done: (usage: Usage) => void };

const UNKNOWN: Usage = { diskUsage: null };

/** How much of their roots instances use, if the roots have a limit. Child programs ask the kernel. */
export class RootUsage {
  #asked: Asked[] = [];
  /** Runs whose root has not answered. They are not asked again. */
  readonly #silent = new WeakSet<Init>();

  async of(init: Init, paths: InstancePaths): Promise<Usage> {
    if (await isThere(paths.image)) return this.#ofImage(init);
    if (!(await isSubvolume(paths.overlay))) return UNKNOWN;
    const quota = await readQuota(paths.overlay);
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
    const { ok, stdout } = await look(all.map(({ init }) => init));
    if (ok) return answer(all, stdout);
    // One of them may be gone, or may not answer.
    for (const each of all) void this.#askOne(each);
  }

  async #askOne(each: Asked): Promise<void> {
    const { ok, timedOut, stdout } = await look([each.init]);
    if (timedOut) this.#silent.add(each.init);
    answer([each], ok ? stdout : '');
  }
}

function look(inits: readonly Init[]): Promise<Finished> {
  const roots = inits.map(({ pid }) => `/proc/${pid}/root`);
  return run('stat', ['--file-system', `--format=${FORMAT}`, '--', ...roots.map((root) => `${root}/`)], {
    timeoutMs: TIMEOUT_MS,
    cwd: '/',
  });
}

function answer(all: readonly Asked[], text: string): void {
  const lines = text.split('\n');
  // The paths have pids. If the init is still alive, the pid was its own, and the figures are those of its run.
  for (const [index, { init, done }] of all.entries())
    done(init.isAlive() ? parseUsage(lines[index] ?? '') : UNKNOWN);
}

/** Reads a line in {@link FORMAT}. */
export function parseUsage(line: string): Usage {
  const [size = 0, blocks = 0, free = 0] = line.split(' ').map(Number);
  if (!size || !blocks) return UNKNOWN;
  return { diskUsage: (blocks - free) * size, diskTotal: blocks * size };
}
