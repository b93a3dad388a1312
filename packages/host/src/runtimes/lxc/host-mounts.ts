import { readdir, realpath, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../process/run.ts';
import { readMounts } from '../kernel/mountinfo.ts';

/** The file system of a source may have stopped answering by the time the source is bound. */
const TIMEOUT_MS = 10_000;

/** A change of mounts must not happen after its daemon has ended: the next daemon would not know. */
const DIES_WITH_PARENT = ['--pdeathsig=KILL', '--'];

/** Paths are passed to the kernel unchanged: nothing on them is looked at more than once. */
const PLAIN = ['--no-mtab', '--no-canonicalize'];

/** Binds a file or folder to another place in the host's mount namespace, by mount(8). @throws Error */
export async function bindMount(
  source: string,
  target: string,
  { recursive }: { recursive: boolean },
): Promise<void> {
  const how = recursive ? ['--rbind', '--make-rprivate'] : ['--bind', '--make-private'];
  await mounting('mount', [...PLAIN, ...how, source, target]);
}

/**
 * Unmounts all mounts directly below a folder, and then removes the folder. Never recursive: if an unmount
 * failed, the files below belong to the host. Not an error if the folder does not exist.
 */
export async function releaseMounts(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => null);
  if (!entries) return;
  const points = ((await readMounts('self')) ?? []).map(({ point }) => point);
  const real = await realpath(folder);
  for (const entry of entries) {
    const place = join(real, entry.name);
    for (const point of points) if (point === place) await unmount(place);
    if (entry.isDirectory()) await rmdir(place);
    else await rm(place);
  }
  await rmdir(folder);
}

/** Removes the topmost mount at once, even while it is in use. @throws Error */
export async function unmount(place: string): Promise<void> {
  await mounting('umount', [...PLAIN, '--lazy', place]);
}

async function mounting(command: string, args: readonly string[]): Promise<void> {
  const done = await run('setpriv', [...DIES_WITH_PARENT, command, ...args], {
    timeoutMs: TIMEOUT_MS,
    cwd: '/',
  });
  if (!done.ok) throw new Error(done.timedOut ? `${args.at(-2)} does not answer` : done.failure);
}
