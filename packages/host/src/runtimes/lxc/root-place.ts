import { chown, lstat, realpath, rm, stat } from 'node:fs/promises';
import type { Log } from '../../base/log.ts';
import { hostError } from '../../core/host-errors.ts';
import type { InsideOwner } from '../../native/mount.ts';
import { unmount } from './host-mounts.ts';
import { shiftOwners } from './owners.ts';
import type { InstancePaths } from './paths.ts';
import { canGrow, growImage, mountImage, repairImage } from './root-image.ts';
import {
  clearUnfinished,
  enterOf,
  isMounted,
  isThere,
  isUnwritten,
  moveToFolder,
  moveToImage,
  moveToSubvolume,
  type Size,
} from './root-move.ts';
import { hasQuotas, isSubvolume, limitSubvolume, readQuota } from './root-subvolume.ts';
import { fills, readSuperblock } from './superblock.ts';

const MIB = 2 ** 20;

/**
 * The kernel makes a folder when it mounts an overlay. In a full subvolume it could not do that, and the root would be
 * read-only. So a subvolume has more room than its size: a little for files that are pushed into a stopped instance,
 * and more for removals and until the instance has started.
 */
const FILES_ROOM = MIB;
const START_ROOM = 2 * MIB;

// What an instance writes is in one of three places: a folder, which has no limit; a subvolume of btrfs with a quota;
// or an image, which is mounted over the folder while a program needs it.

/**
 * Moves the files of a stopped instance to a place that can have its limit, and sets the limit.
 * @param bytes null: no limit
 * @throws CodedError root-too-small, root-failed; nothing is lost then
 */
export async function settleRoot(
  paths: InstancePaths,
  bytes: number | null,
  { id, log }: { readonly id: number; readonly log: Log },
): Promise<void> {
  await clearUnfinished(paths);
  await forgetUnwritten(paths.image);
  const [hasImage, hasSubvolume] = [await isThere(paths.image), await isSubvolume(paths.overlay)];
  if (hasImage) await repairAfterErrors(paths.image, { id, log });
  if (bytes === null) {
    if (hasImage) await moveToFolder(paths);
    else if (hasSubvolume) await limitSubvolume(paths.overlay, null);
    return;
  }
  const size = sizeOf(bytes);
  if (hasImage) await resizeImage(paths, size);
  else if (hasSubvolume) await resizeSubvolume(paths, size);
  else if (await hasQuotas(paths.folder)) await moveToSubvolume(paths, size, START_ROOM);
  else await moveToImage(paths, size);
}

/** As {@link settleRoot}, for an instance that has written nothing yet. For others the next start does it. */
export async function settleFresh(
  paths: InstancePaths,
  bytes: number | null,
  { writes }: { readonly writes: boolean },
): Promise<void> {
  await clearUnfinished(paths);
  if (bytes === null) return;
  if (await isSubvolume(paths.overlay))
    return limitSubvolume(paths.overlay, bytes + (writes ? FILES_ROOM : START_ROOM));
  if (!(await isUnwritten(paths))) return;
  if (await hasQuotas(paths.folder)) await moveToSubvolume(paths, sizeOf(bytes), FILES_ROOM);
  else await moveToImage(paths, sizeOf(bytes));
}

const NEEDS_CAPABILITY =
  'while the instance runs, the daemon needs the capability CAP_SYS_RESOURCE for that, and lacks it: stop the instance first';

/** Sets the limit of a running instance's root. @throws CodedError root-failed */
export async function setRunningSize(paths: InstancePaths, bytes: number): Promise<void> {
  if (await isSubvolume(paths.overlay)) return limitSubvolume(paths.overlay, bytes);
  const file = await stat(paths.image).catch(() => null);
  if (!file) throw hostError('root-failed', 'it had no limit when the instance started');
  if (bytes <= file.size) return;
  if (!canGrow()) throw hostError('root-failed', NEEDS_CAPABILITY);
  await growImage(paths.image, paths.overlay, bytes);
}

/** Gives all files of a stopped instance the owners that it has now. */
export async function shiftRoot(paths: InstancePaths, owner: InsideOwner): Promise<void> {
  const enter = await enterOf(paths);
  await shiftOwners(paths.overlay, owner, enter);
  if (enter.length > 0) await chown(paths.overlay, owner.uid, owner.gid);
}

/** Mounts the image of an instance for LXC, if there is one. {@link releaseRoot} unmounts it when the instance runs. */
export async function mountRoot({ image, overlay }: InstancePaths): Promise<void> {
  if (await isThere(image)) await mountImage(image, overlay);
}

/** Takes back the extra room that a subvolume has for a start. */
export async function tightenRoot({ overlay }: InstancePaths, bytes: number | null): Promise<void> {
  if (bytes !== null && (await isSubvolume(overlay))) await limitSubvolume(overlay, bytes);
}

/**
 * Unmounts what {@link mountRoot} of this or an earlier daemon has mounted. The instance still uses the file system.
 */
export async function releaseRoot(paths: InstancePaths): Promise<void> {
  while (await isMounted(paths)) await unmount(await realpath(paths.overlay));
}

/**
 * Removes an image that has no blocks. The first mount syncs all blocks of an image to the disk, and the host has lost
 * power before that. So no instance can have written to it.
 */
async function forgetUnwritten(image: string): Promise<void> {
  if ((await isThere(image)) && (await lstat(image)).blocks === 0) await rm(image);
}

async function repairAfterErrors(image: string, { id, log }: { id: number; log: Log }): Promise<void> {
  const found = await readSuperblock(image);
  if (found && !found.hasErrors) return;
  await repairImage(image);
  log.warn({ instanceId: id }, 'the file system of an instance had errors, which are corrected');
}

async function resizeImage(paths: InstancePaths, size: Size): Promise<void> {
  const file = await lstat(paths.image);
  const system = await readSuperblock(paths.image);
  // A crash may have come when only the file had grown.
  if (file.size === size.bytes && system && fills(system, size.bytes)) return;
  if (file.size > size.bytes || !canGrow()) await moveToImage(paths, size);
  else await growImage(paths.image, paths.overlay, size.bytes);
}

async function resizeSubvolume({ overlay }: InstancePaths, size: Size): Promise<void> {
  const room = size.bytes + START_ROOM;
  const quota = await readQuota(overlay);
  if (quota?.limit === null || (quota && quota.limit > room)) {
    const { used } = (await readQuota(overlay, true)) ?? quota;
    if (used > room) throw hostError('root-too-small', size.text);
  }
  await limitSubvolume(overlay, room);
}

const sizeOf = (bytes: number): Size => ({
  bytes,
  text: bytes % MIB === 0 ? `${bytes / MIB}MiB` : `${bytes} bytes`,
});
