import { chmod, chown, lstat, rename, rm } from 'node:fs/promises';

/** What a socket's file says of who may connect; to do so one needs write access. */
export interface SocketAccess {
  readonly mode: number;
  /** Stays who has made it, if not given. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Moves a listening socket to its path, with its final owner and mode: it is open to others at no instant before, and
 * replaces a stale one at once.
 * @returns removes it, see {@link socketRemover}
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

/** Gives what takes away the socket that is at a path now, and nothing else: a later daemon may have put its own there. */
export async function socketRemover(path: string): Promise<() => Promise<void>> {
  const { ino } = await lstat(path);
  return async () => {
    const found = await lstat(path).catch(() => undefined);
    if (found?.ino === ino) await rm(path, { force: true });
  };
}
