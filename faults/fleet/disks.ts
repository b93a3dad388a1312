import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BLKIO = '/sys/fs/cgroup/blkio';
const UNIFIED = '/sys/fs/cgroup';

/** Writes a second that a slow disk does. A commit needs several. */
const SLOW_WRITES = 25;

const MINOR_BITS = 0xff;
const MAJOR_SHIFT = 8;

/** Cgroups, one for each host, in which the kernel makes the disk slow. */
export class Disks implements Disposable {
  readonly #device: string;
  readonly #root: string | null;
  readonly #name: string;
  readonly #made: string[] = [];

  /** @param folder on the disk */
  constructor(folder: string) {
    const { dev } = statSync(folder);
    this.#device = `${dev >> MAJOR_SHIFT}:${dev & MINOR_BITS}`;
    this.#root = rootOf();
    this.#name = `porthole-fleet-faults-${process.pid}`;
  }

  /** Whether this kernel can make a disk slow. */
  get canBeSlow(): boolean {
    return this.#root !== null;
  }

  /** Words before a command that execute it on the disk of a host. */
  under(host: string): readonly string[] {
    if (this.#root === null) return [];
    const folder = this.#folder(host);
    if (!existsSync(folder)) {
      mkdirSync(folder);
      this.#made.push(folder);
    }
    return ['sh', '-c', 'echo $$ > "$0" && exec "$@"', join(folder, 'cgroup.procs')];
  }

  setSlow(host: string, isSlow: boolean): void {
    const folder = this.#folder(host);
    if (this.#root === UNIFIED)
      writeFileSync(join(folder, 'io.max'), `${this.#device} wiops=${isSlow ? SLOW_WRITES : 'max'}\n`);
    else
      writeFileSync(
        join(folder, 'blkio.throttle.write_iops_device'),
        `${this.#device} ${isSlow ? SLOW_WRITES : 0}\n`,
      );
  }

  /** Call it when all processes have ended. */
  [Symbol.dispose](): void {
    for (const folder of this.#made) if (existsSync(folder)) rmdirSync(folder);
  }

  #folder(host: string): string {
    return join(this.#root ?? '', `${this.#name}-${host}`);
  }
}

function rootOf(): string | null {
  if (existsSync(join(BLKIO, 'blkio.throttle.write_iops_device'))) return BLKIO;
  const subtree = join(UNIFIED, 'cgroup.subtree_control');
  if (!existsSync(subtree)) return null;
  return readFileSync(subtree, 'utf8').split(/\s+/).includes('io') ? UNIFIED : null;
}
