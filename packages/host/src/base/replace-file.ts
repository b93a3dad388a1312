import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, open, realpath, rename, rm } from 'node:fs/promises';

/**
 * Replaces the content of a file in one step: a reader sees the old or the new one. A file that exists keeps its mode
 * and owner, a link continues to lead to it.
 * @param mode of a file that does not exist yet
 */
export async function replaceFile(path: string, text: string, mode = 0o644): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const before = await lstat(target).catch(() => null);
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await using file = await open(temporary, 'wx', 0o600);
    await file.writeFile(text);
    if (before) await chown(temporary, before.uid, before.gid);
    await chmod(temporary, before ? before.mode & 0o7777 : mode);
    await file.sync();
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
