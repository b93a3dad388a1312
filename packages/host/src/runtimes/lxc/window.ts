import { changeMounts, type InsideOwner } from '../../native/mount.ts';
import type { Init } from '../../ops/runtime.ts';

const TARGET = '/dev/lxd';

/**
 * Shows the guest API's folder in a running container, read-only, or takes it away. What the container has
 * done to the place meanwhile does not matter: all that is mounted there goes first, so that afterwards it is
 * there exactly once, or not at all.
 */
export async function setWindow(
  init: Init,
  owner: InsideOwner,
  folder: string,
  shown: boolean,
): Promise<void> {
  const clear = { kind: 'unmount', target: TARGET, layers: 'all', remove: !shown } as const;
  const show = { kind: 'mount', source: folder, target: TARGET, readonly: true, recursive: false } as const;
  await changeMounts(init, owner, shown ? [clear, show] : [clear]);
}
