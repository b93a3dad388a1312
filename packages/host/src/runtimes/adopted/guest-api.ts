import { readFile, realpath } from 'node:fs/promises';
import { compileCacheVariables } from '../../base/compile-cache.ts';
import { rootIdOf } from '../../base/id-map.ts';
import type { ProcessName } from '../../core/adopted.ts';
import { hostError } from '../../core/host-errors.ts';
import { MOUNT_PROGRAM, type MountAnswer, type MountOrder, type MountTask } from '../../native/mount.ts';
import { PinnedProcess } from '../../native/pinned-process.ts';
import { run } from '../../process/run.ts';
import { isShown, placeOf, readMounts } from '../kernel/mountinfo.ts';
import { mountReason } from '../lxc/reasons.ts';

const TARGET = '/dev/lxd';

/** A container can mount a file system at the place that never answers. */
const TIMEOUT_MS = 10_000;

/** The programs that start Node come from the host. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Mounts the guest API's folder in a running container of another program, read-only. What something else has mounted
 * in the place stays. The work is done by a child that enters only the container's mount namespace, so it does not
 * matter whose user namespace that is.
 * @returns false if the folder is mounted there already
 * @throws CodedError bad-request with the reason
 */
export async function showGuestApi(init: ProcessName, folder: string): Promise<boolean> {
  const inside = await readMounts(init.pid);
  if (inside === null) throw hostError('bad-request', 'the mounts of the container cannot be read');
  if (inside.some(({ point }) => point === TARGET || point.startsWith(`${TARGET}/`))) {
    const place = placeOf((await readMounts('self')) ?? [], await realpath(folder));
    if (place !== null && isShown(inside, TARGET, { ...place, readonly: true })) return false;
    throw hostError('bad-request', `something else is mounted at ${TARGET} in the container`);
  }
  await change(init, {
    kind: 'mount',
    source: folder,
    target: TARGET,
    readonly: true,
    recursive: false,
  });
  return true;
}

/** Takes back what `showGuestApi` has done. @throws CodedError bad-request with the reason */
export async function hideGuestApi(init: ProcessName): Promise<void> {
  await change(init, { kind: 'unmount', target: TARGET, layers: 'one', remove: true });
}

async function change(init: ProcessName, task: MountTask): Promise<void> {
  const held = PinnedProcess.named(init.pid, init.startTime);
  if (held === null || held.pidfd === null) throw hostError('bad-request', 'the container has ended');
  try {
    // New folders inside belong to the container's root: its file systems may have no other ids.
    const [uid, gid] = await Promise.all(['uid_map', 'gid_map'].map((map) => rootIdIn(init.pid, map)));
    if (uid === undefined || gid === undefined || !held.isAlive())
      throw hostError('bad-request', 'the container has ended');
    await order(held.pidfd, { owner: { uid, gid }, tasks: [task] });
  } finally {
    held.release();
  }
}

async function rootIdIn(pid: number, map: string): Promise<number> {
  const id = rootIdOf(await readFile(`/proc/${pid}/${map}`, 'utf8').catch(() => ''));
  if (id === null) throw hostError('bad-request', 'the container has no root');
  return id;
}

/** Settles when the child has ended, or is given up. */
async function order(pidfd: number, work: MountOrder): Promise<void> {
  const done = await run('setpriv', ['--pdeathsig=KILL', '--', process.execPath, MOUNT_PROGRAM], {
    input: JSON.stringify(work),
    descriptors: [pidfd],
    timeoutMs: TIMEOUT_MS,
    cwd: '/',
    env: { PATH, ...compileCacheVariables() },
  });
  if (done.timedOut) throw hostError('bad-request', `the container does not answer at ${TARGET}`);
  if (!done.ok) throw hostError('bad-request', done.failure);
  const answer = JSON.parse(done.stdout) as MountAnswer;
  if (!('results' in answer)) throw hostError('bad-request', mountReason(answer));
}
