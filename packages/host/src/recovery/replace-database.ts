import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { inspectCopy } from '../store/sqlite/inspect.ts';
import { type Rebuilt, rebuild } from '../store/sqlite/rebuild.ts';

/** How the names of a database's files end. The database itself comes last. */
const ENDS = ['-wal.kept', '-wal', '-journal', '-shm', ''];

/**
 * Makes a database, checks it, and puts it in the place of the old one, which stays beside it under a new name. After a
 * failure or a crash it can be called again.
 * @param path of the database to replace, which may be missing
 * @returns the new path of the old database; null if there was none
 */
export function replaceDatabase(path: string, rebuilt: Rebuilt, now: Date): string | null {
  const next = `${path}.new`;
  for (const end of ENDS) rmSync(next + end, { force: true });
  rebuild(next, rebuilt);
  inspectCopy(next, true);
  sync(next);
  const aside = `${path}.replaced-${now.toISOString().replace(/[-:.]/g, '')}`;
  const moved: [from: string, to: string][] = [];
  try {
    for (const end of ENDS) {
      if (!existsSync(path + end)) continue;
      renameSync(path + end, aside + end);
      moved.push([path + end, aside + end]);
    }
    renameSync(next, path);
  } catch (error) {
    for (const [from, to] of moved.reverse()) renameSync(to, from);
    throw error;
  }
  sync(dirname(path));
  return moved.some(([from]) => from === path) ? aside : null;
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
