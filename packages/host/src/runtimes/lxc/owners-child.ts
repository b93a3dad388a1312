import * as fs from 'node:fs';
import type { InsideOwner } from '../../native/mount.ts';
import type { OwnersOrder } from './owners.ts';

// Moves the owners of a tree into another range of ids, in a separate process. It goes down folder by folder
// and up again, so that any depth works; it follows no links. The instance does not run meanwhile. A folder
// is changed after all that is in it, the top folder last: its owner shows that all is done.

const FOLDER = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;

const { folder, from, to, count } = JSON.parse(process.argv[2] as string) as OwnersOrder;

/** Names that are still to be done in each folder on the way, the innermost folder last. */
const trail: Buffer[][] = [];

enter(Buffer.from(folder));
while (trail.length > 0) step(trail.at(-1) as Buffer[]);

function step(names: Buffer[]): void {
  const name = names.pop();
  if (!name) leave();
  else if (fs.lstatSync(name).isDirectory()) enter(name);
  else moveOwner(name);
}

function enter(name: Buffer): void {
  const fd = fs.openSync(name, FOLDER);
  process.chdir(`/proc/self/fd/${fd}`);
  fs.closeSync(fd);
  trail.push(fs.readdirSync('.', { encoding: 'buffer' }));
}

function leave(): void {
  moveOwner(Buffer.from('.'));
  trail.pop();
  if (trail.length > 0) process.chdir('..');
}

function moveOwner(name: Buffer): void {
  const found = fs.lstatSync(name);
  const [uid, gid] = [moved('uid', found.uid), moved('gid', found.gid)];
  if (uid === found.uid && gid === found.gid) return;
  fs.lchownSync(name, uid, gid);
  // chown(2) clears the set-user-id and set-group-id bits.
  if (!found.isSymbolicLink()) fs.chmodSync(name, found.mode & 0o7777);
}

function moved(kind: keyof InsideOwner, id: number): number {
  return id >= from[kind] && id < from[kind] + count ? id - from[kind] + to[kind] : id;
}
