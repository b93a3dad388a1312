import { type FileHandle, open } from 'node:fs/promises';
import { compileCacheVariables } from '../../base/compile-cache.ts';
import { hostError } from '../../core/host-errors.ts';
import { close } from '../../native/libc.ts';
import { tryLock } from '../../native/lock.ts';
import {
  type InsideOwner,
  MOUNT_PROGRAM,
  type MountAnswer,
  type MountOrder,
  type MountTask,
} from '../../native/mount.ts';
import { type Finished, run } from '../../process/run.ts';
import type { Init } from '../contract/runtime.ts';
import type { InstancePaths } from './paths.ts';
import { mountReason } from './reasons.ts';

/** How long a change of mounts may take: a guest can mount a file system there that never answers. */
const TIMEOUT_MS = 10_000;

/** The programs that start Node come from the host. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Changes the mounts that one run of an instance sees. Each change is made by a separate child, one after
 * another. A child that the kernel does not let die keeps one of the instance's few places; when no place is
 * free, further changes are refused at once.
 */
export class MountWork {
  readonly #init: Init;
  readonly #places: readonly string[];
  readonly #stop: AbortSignal;
  #last: Promise<unknown> = Promise.resolve();
  /** A search for a free place locks places for a moment, so only one search runs at a time. */
  #looking: Promise<unknown> = Promise.resolve();
  /** The place of the child that is at work. */
  #busy: string | null = null;

  /**
   * @param paths of the instance. Two of its folders are the places: the child has a lock on one until
   *   nothing of it is left, so that the next daemon knows about the child, too
   * @param stop ends the work under way: mounts must not change without the next daemon knowing
   */
  constructor(init: Init, paths: Pick<InstancePaths, 'folder' | 'overlay'>, stop: AbortSignal) {
    this.#init = init;
    this.#places = [paths.folder, paths.overlay];
    this.#stop = stop;
  }

  /**
   * Carries out tasks inside, in order.
   * @returns for each whether it made (mount) or found (unmount, look) something
   * @throws CodedError bad-request with the reason of the first task that failed, instance-stuck when no place is
   *   free; Error when the instance does not answer in time
   */
  change(owner: InsideOwner, tasks: readonly MountTask[]): Promise<readonly boolean[]> {
    const work = this.#last.then(() => this.#change({ owner, tasks }));
    this.#last = work.catch(() => {});
    return work;
  }

  /** How many children were given up and have not ended. */
  stuck(): Promise<number> {
    return this.#look(async () => {
      const taken = await Promise.all(this.#places.map(isTaken));
      return this.#places.filter((path, index) => taken[index] && path !== this.#busy).length;
    });
  }

  async #change(order: MountOrder): Promise<readonly boolean[]> {
    const place = await this.#look(() => this.#takePlace());
    if (!place) throw hostError('instance-stuck');
    try {
      return resultsOf(await this.#runChild(order, place));
    } finally {
      this.#busy = null;
    }
  }

  async #runChild(order: MountOrder, place: FileHandle): Promise<Finished> {
    const pidfd = this.#init.duplicate();
    try {
      return run('setpriv', ['--pdeathsig=KILL', '--', process.execPath, MOUNT_PROGRAM], {
        input: JSON.stringify(order),
        descriptors: [pidfd, place.fd],
        timeoutMs: TIMEOUT_MS,
        signal: this.#stop,
        cwd: '/',
        env: { PATH, ...compileCacheVariables() },
      });
    } finally {
      // The child has its own copies by now, until it has ended.
      close(pidfd);
      await place.close();
    }
  }

  async #takePlace(): Promise<FileHandle | null> {
    for (const path of this.#places) {
      const place = await lockPlace(path);
      if (place) this.#busy = path;
      if (place) return place;
    }
    return null;
  }

  #look<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#looking.then(work);
    this.#looking = mine.catch(() => {});
    return mine;
  }
}

async function isTaken(path: string): Promise<boolean> {
  const place = await lockPlace(path);
  await place?.close();
  return place === null;
}

async function lockPlace(path: string): Promise<FileHandle | null> {
  const place = await open(path, 'r');
  if (tryLock(place.fd)) return place;
  await place.close();
  return null;
}

function resultsOf({ ok, timedOut, stdout, failure }: Finished): readonly boolean[] {
  if (timedOut) throw new Error('the instance does not answer at that path');
  if (!ok) throw new Error(failure);
  const answer = JSON.parse(stdout) as MountAnswer;
  if ('results' in answer) return answer.results;
  throw hostError('bad-request', mountReason(answer));
}
