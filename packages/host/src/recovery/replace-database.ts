import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { inspectCopy } from '../store/inspect.ts';
import { type Rebuilt, rebuild } from '../store/rebuild.ts';

/** Files of SQLite that belong to a database, by the end of their names; the database itself comes last. */
const ENDS = ['-wal.kept', '-wal', '-journal', '-shm', ''];

/**
 * Makes a database, checks it, and puts it in the place of another one, which stays beside it under a new name. If
 * that fails or is cut off, it can be done again.
 * @param path of the database to replace, which may be missing
 * @returns the new name of the replaced one; null if there was none
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
