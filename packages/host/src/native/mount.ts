import { Worker } from 'node:worker_threads';
import { checked, close, declare, SystemError } from './libc.ts';
import type { PinnedProcess } from './pinned-process.ts';

const mountCall = declare(
  'int mount(const char *source, const char *target, const char *type, ulong flags, const char *data)',
);
const umountCall = declare('int umount2(const char *target, int flags)');

const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MS_PRIVATE = 0x4_0000;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

/** Binds a file or folder to another place in the host's own mount namespace; mount(2). */
export function bindMount(source: string, target: string, options: { recursive: boolean }): void {
  checked('mount', mountCall(source, target, null, MS_BIND | (options.recursive ? MS_REC : 0), null));
  checked('mount', mountCall(null, target, null, MS_PRIVATE | (options.recursive ? MS_REC : 0), null));
}

/** Takes the topmost mount at a place away; false when there is none. */
export function unmount(target: string): boolean {
  return Number(umountCall(target, MNT_DETACH | UMOUNT_NOFOLLOW)) === 0;
}

/** A change of the mounts that a running container sees. */
export type MountTask =
  | {
      readonly kind: 'mount';
      /** A file or folder of the host. */
      readonly source: string;
      /** Absolute path inside; links on the way are followed inside, never out of the container. */
      readonly target: string;
      readonly readonly: boolean;
      readonly recursive: boolean;
      /** Does nothing where the target is the source already. */
      readonly unlessThere?: boolean;
    }
  | {
      readonly kind: 'unmount';
      readonly target: string;
      /** Only the topmost mount, or also what is stacked below it. */
      readonly layers: 'one' | 'all';
      /** Also remove the empty mount point. */
      readonly remove: boolean;
      /** Unmounts nothing but this file or folder of the host; absent: whatever is there. */
      readonly source?: string;
    }
  | {
      /** Only says whether something is there. */
      readonly kind: 'look';
      readonly target: string;
    };

/** Who owns what is made inside: the host ids of the container's root. */
export interface InsideOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * How long a thread may be at work. A guest can have a file system of its own at the place that never answers;
 * such a thread stays until the guest has ended.
 */
const TIMEOUT_MS = 10_000;

/**
 * Carries out mount tasks inside the mount namespace of a process, in order. A thread of its own enters the
 * namespace and ends with the work: setns(2) moves only the calling thread once its file system attributes
 * are its own (CLONE_FS). Nothing of the container is executed.
 * @returns for each task whether it made (mount) or found (unmount, look) something
 * @throws SystemError of the first task that failed; Error when the instance keeps the thread waiting
 */
export function changeMounts(
  process: Pick<PinnedProcess, 'duplicate'>,
  owner: InsideOwner,
  tasks: readonly MountTask[],
): Promise<boolean[]> {
  // A descriptor of its own: the process may be released while the thread is at work.
  const pidfd = process.duplicate();
  const changed = new Promise<boolean[]>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error('the instance does not answer at that path')),
      TIMEOUT_MS,
    );
    const worker = new Worker(new URL('./mount-worker.ts', import.meta.url), {
      workerData: { pidfd, owner, tasks },
      trackUnmanagedFds: false,
    });
    worker.once('message', (answer: { results?: boolean[]; call: string; errno: number }) => {
      if (answer.results) resolve(answer.results);
      else reject(new SystemError(answer.call, answer.errno));
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      clearTimeout(timer);
      reject(new Error('the mount thread ended without an answer'));
    });
  });
  return changed.finally(() => close(pidfd));
}
