import { rename } from 'node:fs/promises';
import { releaseMounts } from './host-mounts.ts';
import type { InstancePaths } from './paths.ts';
import { removeSubvolumes } from './root-move.ts';
import { releaseRoot } from './root-place.ts';
import { removeTree } from './tools.ts';

/**
 * Removes all files of an instance that does not run. The folder gets another name first: LXC may still be ending a
 * run that has failed, and its hook would write into the folder while it is emptied.
 * @throws CodedError runtime-failed
 */
export async function removeFiles(paths: InstancePaths): Promise<void> {
  await releaseMounts(paths.mounts);
  await releaseRoot(paths);
  await removeSubvolumes(paths);
  await removeTree(paths.removed);
  try {
    await rename(paths.folder, paths.removed);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await removeTree(paths.removed);
}
