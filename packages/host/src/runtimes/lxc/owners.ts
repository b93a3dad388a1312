import { lstat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { hostError } from '../../core/host-errors.ts';
import { IDS_PER_INSTANCE } from '../../core/host-ids.ts';
import type { InsideOwner } from '../../native/mount.ts';
import { apart } from '../../process/apart.ts';
import { run } from '../../process/run.ts';

const PROGRAM = fileURLToPath(new URL('./owners-child.ts', import.meta.url));

/** The only argument of the program, as JSON. */
export interface OwnersOrder {
  readonly folder: string;
  readonly count: number;
  readonly from: InsideOwner;
  readonly to: InsideOwner;
}

/**
 * Moves the owners of all files below a folder into another range of host ids, when an instance changes
 * between privileged and unprivileged. The owner of the folder shows which range they are in. A child does
 * it: the guest decides how many files there are, and how deep.
 * @param enter words before the child's command that let it see other files there
 */
export async function shiftOwners(
  folder: string,
  to: InsideOwner,
  enter: readonly string[] = [],
): Promise<void> {
  const from = await lstat(folder);
  if (from.uid === to.uid && from.gid === to.gid) return;
  const order: OwnersOrder = { folder, count: IDS_PER_INSTANCE, from: { uid: from.uid, gid: from.gid }, to };
  const child = [...enter, process.execPath, PROGRAM, JSON.stringify(order)];
  const [command, ...args] = apart(['setpriv', '--pdeathsig=KILL', '--', ...child]);
  const moved = await run(command, args);
  if (!moved.ok)
    throw hostError('runtime-failed', `The owners of its files cannot be changed: ${moved.failure}`);
}
