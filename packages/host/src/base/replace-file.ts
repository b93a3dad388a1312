import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, realpath, rename, rm } from 'node:fs/promises';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * Replaces the content of a file in one step: a reader sees the old or the new one. A file that exists keeps its mode
 * and owner, and a link continues to lead to it. Another user who can write the folder cannot make this write a file
 * elsewhere, or change its mode.
 * @param mode of a file that does not exist yet
 * @param links whether a link stays and its file is replaced, or the link itself is
 * @throws the system's error, with the name of the file itself
 */
export async function replaceFile(
  path: string,
  text: string,
  mode = 0o644,
  links: 'follow' | 'replace' = 'follow',
): Promise<void> {
  const target = links === 'follow' ? await realpath(path).catch(() => path) : path;
  const before = await lstat(target).catch(() => null);
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeNew(temporary, text, before, mode);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw renamed(error, temporary, target);
  }
}

/** Uses the open file only, because its name may lead elsewhere a moment later. */
async function writeNew(path: string, text: string, like: Stats | null, mode: number): Promise<void> {
  await using file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  await file.writeFile(text);
  if (like) await file.chown(like.uid, like.gid);
  await file.chmod(like ? like.mode & 0o7777 : mode);
  await file.sync();
}

/** The error with the name of the file itself. The caller does not know the temporary name. */
function renamed(error: unknown, temporary: string, target: string): unknown {
  if (!(error instanceof Error)) return error;
  error.message = error.message.replaceAll(temporary, () => target);
  if ((error as NodeJS.ErrnoException).path === temporary) Object.assign(error, { path: target });
  return error;
}
