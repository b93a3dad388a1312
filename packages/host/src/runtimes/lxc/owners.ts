import { chmodSync, lchownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { IDS_PER_INSTANCE } from './ids.ts';

/**
 * Moves the owners of all files below a folder from one range of host ids to another, when an instance
 * changes between privileged and unprivileged. The folder itself comes last: its owner tells that all is done.
 */
export function shiftOwners(folder: string, from: number, to: number): void {
  const found = lstatSync(folder);
  if (found.isDirectory()) {
    for (const entry of readdirSync(folder)) shiftOwners(join(folder, entry), from, to);
  }
  const shift = (id: number) => (id >= from && id < from + IDS_PER_INSTANCE ? id - from + to : id);
  lchownSync(folder, shift(found.uid), shift(found.gid));
  // chown(2) takes the set-user-id and set-group-id bits away.
  if (!found.isSymbolicLink()) chmodSync(folder, found.mode & 0o7777);
}
