import { chmod, lstat, rename, rm } from 'node:fs/promises';
import type { Server } from 'node:net';

/** Everyone may connect: who is served is decided by identity, not by file mode. */
const SOCKET_MODE = 0o666;

/** Where to listen: a path, or a listening socket that was inherited. */
export type ListenAddress = string | { readonly fd: number };

/**
 * Listens, and returns the function that takes the socket's name away again; none for an inherited socket,
 * whose name and waiting connections belong to who comes after us.
 *
 * A path appears only when connections to it are accepted: the socket is bound under another name in the same
 * directory and then renamed, which also replaces what a killed daemon left behind.
 */
export async function listenAt(
  server: Server,
  address: ListenAddress,
): Promise<(() => Promise<void>) | undefined> {
  if (typeof address !== 'string') {
    await listen(server, { fd: address.fd });
    return undefined;
  }
  const temporary = `${address}.new`;
  await rm(temporary, { force: true });
  await listen(server, { path: temporary });
  await chmod(temporary, SOCKET_MODE);
  const { ino } = await lstat(temporary);
  await rename(temporary, address);
  return () => unlinkOwn(address, ino);
}

function listen(server: Server, where: { path: string } | { fd: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...where, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Connections that wait to be accepted; the kernel takes the smaller of this and `somaxconn`. */
const BACKLOG = 4096;

/** A later daemon may have put its own socket there. */
async function unlinkOwn(path: string, ino: number): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.ino === ino) await rm(path, { force: true });
}
