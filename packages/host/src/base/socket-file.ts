import { chmod, chown, lstat, rename, rm } from 'node:fs/promises';

/** Owner and mode of a socket's file. A process needs write access to connect. */
export interface SocketAccess {
  readonly mode: number;
  /** If not given, the user that made the file stays its owner. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Moves a listening socket to its path, with its final owner and mode. At no time can others connect to it
 * before, and it replaces a stale socket atomically.
 * @returns a function that removes it, see {@link socketRemover}
 */
export async function moveSocket(
  from: string,
  path: string,
  { mode, owner }: SocketAccess,
): Promise<() => Promise<void>> {
  if (owner !== undefined) await chown(from, owner.uid, owner.gid);
  await chmod(from, mode);
  await rename(from, path);
  return socketRemover(path);
}

/**
 * Returns a function that removes the socket that is at the path now, and no other one: a later daemon may
 * have put its own socket there.
 */
export async function socketRemover(path: string): Promise<() => Promise<void>> {
  const { ino } = await lstat(path);
  return async () => {
    const found = await lstat(path).catch(() => undefined);
    if (found?.ino === ino) await rm(path, { force: true });
  };
}
