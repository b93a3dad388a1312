import { chmod, chown, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../base/sync-folder.ts';
import { hostError } from '../../core/host-errors.ts';
import { exchangeNames } from '../../native/exchange.ts';
import { apart } from '../../process/apart.ts';
import { run } from '../../process/run.ts';
import type { InstancePaths } from './paths.ts';
import { makeImage, syncFile, withImage } from './root-image.ts';
import { isSubvolume, limitSubvolume, makeSubvolume, removeSubvolume } from './root-subvolume.ts';
import { makeFresh, type Wanted } from './root-template.ts';
import { removeTree } from './tools.ts';

// Moves the files of a stopped instance to another place. It first copies and syncs all of them. Then one rename makes
// the new place the instance's. So after any crash, one of the two places is complete and in use.

/**
 * Copies all files with owners, links, attributes and holes. The shell ends with the daemon, and `cp` with the shell.
 * Otherwise it could write into the copy of the next daemon.
 */
const COPY =
  'setpriv --pdeathsig=KILL -- cp -a --sparse=always -- "$0/upper" "$1/" && mkdir -p "$1/work" && chown "$2" "$1" "$1/work"';
const SYNC = 'sync -f "$1"';

const NO_SPACE = /No space left on device|Disk quota exceeded/;

/** A limit in bytes, and its text for messages. */
export interface Size {
  readonly bytes: number;
  readonly text: string;
}

/** Moves the files from their present place into a new image. @throws CodedError root-too-small, root-failed */
export async function moveToImage(paths: InstancePaths, size: Size): Promise<void> {
  const isFresh = await isUnwritten(paths);
  await mkdir(paths.newOverlay);
  try {
    if (isFresh) await makeFresh(paths, await freshContent(paths, size));
    else await copyToImage(paths, size);
    await rename(paths.newImage, paths.image);
    if (!isFresh) await syncFolder(paths.folder);
  } finally {
    await clearUnfinished(paths);
  }
}

/**
 * Moves the files into a new subvolume.
 * @param room bytes that it can hold for now, in addition to its size
 * @throws CodedError root-too-small, root-failed
 */
export async function moveToSubvolume(paths: InstancePaths, size: Size, room: number): Promise<void> {
  await makeSubvolume(paths.newOverlay);
  try {
    await limitSubvolume(paths.newOverlay, size.bytes + room);
    await exchange(paths, size);
  } finally {
    await clearUnfinished(paths);
  }
}

/** Moves the files out of the image, into a folder without a limit. @throws CodedError root-failed */
export async function moveToFolder(paths: InstancePaths): Promise<void> {
  await mkdir(paths.newOverlay);
  try {
    await exchange(paths, null);
  } finally {
    await clearUnfinished(paths);
  }
}

/** Removes the files of an interrupted move. @throws CodedError root-failed if the image is mounted */
export async function clearUnfinished(paths: InstancePaths): Promise<void> {
  await refuseMounted(paths);
  await rm(paths.newImage, { force: true });
  if (await isSubvolume(paths.newOverlay)) await removeSubvolume(paths.newOverlay);
  else if (await isThere(paths.newOverlay)) await removeTree(paths.newOverlay);
  if (!(await isThere(paths.image)) || (await isEmpty(paths.upper))) return;
  const { uid, gid } = await lstat(paths.upper);
  await removeTree(paths.upper);
  await mkdir(paths.upper);
  await chown(paths.upper, uid, gid);
}

/** Removes the subvolumes of an instance, which the removal of its folder would leave behind. */
export async function removeSubvolumes({ overlay, newOverlay }: InstancePaths): Promise<void> {
  for (const path of [overlay, newOverlay]) if (await isSubvolume(path)) await removeSubvolume(path);
}

/** The words before a command with which it sees the instance's files in `overlay`. */
export async function enterOf({ image, overlay }: InstancePaths): Promise<readonly string[]> {
  return (await isThere(image)) ? withImage(image, overlay) : [];
}

/** @throws Error if the kernel does not say it: an instance's files must not count as missing then */
export async function isThere(path: string): Promise<boolean> {
  return (await unlessMissing(lstat(path))) !== null;
}

async function isEmpty(folder: string): Promise<boolean> {
  return ((await unlessMissing(readdir(folder))) ?? []).length === 0;
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | null> {
  return work.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

/** What is in a mounted image must not be taken for what a move has left below it. */
async function refuseMounted(paths: InstancePaths): Promise<void> {
  if (await isMounted(paths))
    throw hostError('root-failed', `its image is still mounted: umount ${paths.overlay}`);
}

/** Whether the image of an instance, if it has one, is mounted on the host. */
export async function isMounted({ folder, overlay, image }: InstancePaths): Promise<boolean> {
  if (!(await isThere(image))) return false;
  const [outer, inner] = await Promise.all([lstat(folder), unlessMissing(lstat(overlay))]);
  return inner !== null && inner.dev !== outer.dev;
}

/** Whether an instance has written nothing yet, so that nothing can be lost. */
export async function isUnwritten(paths: InstancePaths): Promise<boolean> {
  return !(await isThere(paths.image)) && isEmpty(paths.upper);
}

async function exchange(paths: InstancePaths, size: Size | null): Promise<void> {
  const isFresh = await isUnwritten(paths);
  if (isFresh) await fillFresh(paths);
  else await copy(await enterOf(paths), paths, size);
  if (!isFresh) await syncFolder(paths.folder);
  exchangeNames(paths.overlay, paths.newOverlay);
  if (isFresh) return;
  await syncFolder(paths.folder);
  // While there is an image, it is the place that counts.
  await rm(paths.image, { force: true });
  await syncFolder(paths.folder);
}

async function freshContent(paths: InstancePaths, { bytes }: Size): Promise<Wanted> {
  await fillFresh(paths);
  return { bytes, owner: await lstat(paths.overlay), content: paths.newOverlay };
}

async function copyToImage(paths: InstancePaths, size: Size): Promise<void> {
  await makeImage(paths.newImage, size.bytes, paths.newOverlay);
  const enter = [...(await enterOf(paths)), ...withImage(paths.newImage, paths.newOverlay)];
  await copy(enter, paths, size);
  await syncFile(paths.newImage);
}

async function copy(enter: readonly string[], { overlay, newOverlay }: InstancePaths, size: Size | null) {
  // The guest may have changed the owner of its root, which is the upper folder.
  const { uid, gid } = await lstat(overlay);
  const script = ['sh', '-c', `${COPY} && ${SYNC}`, overlay, newOverlay, `${uid}:${gid}`];
  const [command, ...args] = apart(['setpriv', '--pdeathsig=KILL', '--', ...enter, ...script]);
  // Without a time limit: the guest decides how many files there are.
  const done = await run(command, args, { cwd: '/' });
  if (done.ok) return;
  if (size && NO_SPACE.test(done.stderr)) throw hostError('root-too-small', size.text);
  throw hostError('root-failed', done.failure);
}

/** Makes the new folder as it is for an instance that has written nothing. */
async function fillFresh({ overlay, newOverlay }: InstancePaths): Promise<void> {
  const { uid, gid, mode } = await lstat(overlay);
  for (const name of ['upper', 'work']) {
    await mkdir(join(newOverlay, name));
    await chown(join(newOverlay, name), uid, gid);
  }
  await chown(newOverlay, uid, gid);
  await chmod(newOverlay, mode);
}
