import { realpath } from 'node:fs/promises';
import type { InsideOwner } from '../../native/mount.ts';
import type { Init } from '../contract/runtime.ts';
import { isShown, placeOf, readMounts } from '../kernel/mountinfo.ts';
import type { MountWork } from './mount-work.ts';

const TARGET = '/dev/lxd';

/**
 * Mounts the guest API's folder in a running container, read-only, or unmounts it. All mounts at the place
 * are removed first, including those that the container has made, so that afterwards the folder is mounted
 * exactly once, or not at all. When the kernel says that this is so already, nothing is done.
 */
export async function setGuestApiMount(
  { init, owner, work }: { init: Init; owner: InsideOwner; work: MountWork },
  folder: string,
  shown: boolean,
): Promise<void> {
  if ((await isMounted(init, folder, shown)) && init.isAlive()) return;
  const clear = { kind: 'unmount', target: TARGET, layers: 'all', remove: !shown } as const;
  const show = { kind: 'mount', source: folder, target: TARGET, readonly: true, recursive: false } as const;
  await work.change(owner, shown ? [clear, show] : [clear]);
}

async function isMounted({ pid }: Init, folder: string, shown: boolean): Promise<boolean> {
  const inside = await readMounts(pid);
  if (!inside) return false;
  if (!shown) return !inside.some(({ point }) => point === TARGET || point.startsWith(`${TARGET}/`));
  const place = placeOf((await readMounts('self')) ?? [], await realpath(folder));
  return place !== null && isShown(inside, TARGET, { ...place, readonly: true });
}
