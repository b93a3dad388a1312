import { rm } from 'node:fs/promises';
import { moveSocket, socketRemover } from '../base/socket-file.ts';
import type { InheritedSocket } from '../base/sockets.ts';
import { makeNonBlocking } from '../native/descriptors.ts';
import { close } from '../native/libc.ts';
import { listenUnix } from '../native/sockets.ts';

/** Everyone may connect: who is served is decided by identity, not by file mode. */
const SOCKET_MODE = 0o666;

/**
 * Connections that wait to be accepted; the kernel takes the smaller of this and `somaxconn`. Where the queue is full,
 * clients that do not wait fail, so it has room for all instances that boot at once. In a flood the fast lane makes it
 * shorter for a while (docs/performance.md).
 */
export const BACKLOG = 4096;

/** Where to listen: a path, or a listening socket that was inherited. */
export type ListenAddress = string | InheritedSocket;

/** A listening socket that nobody accepts from yet. */
export interface Listening {
  readonly fd: number;
  /**
   * Takes the socket's name away; none for a socket whose name and waiting connections belong to who comes after
   * us.
   */
  readonly unlink: (() => Promise<void>) | undefined;
}

/**
 * A path appears only when connections to it are accepted: the socket is bound under another name in the same
 * directory and then renamed, which also replaces what a killed daemon left behind.
 */
export async function openListener(address: ListenAddress): Promise<Listening> {
  if (typeof address !== 'string') {
    const { fd, path } = address;
    // A service manager's is not, and a thread would wait in it for ever.
    makeNonBlocking(fd);
    return { fd, unlink: path === undefined ? undefined : await socketRemover(path) };
  }
  const temporary = `${address}.new`;
  await rm(temporary, { force: true });
  const fd = listenUnix(temporary, BACKLOG);
  try {
    return { fd, unlink: await moveSocket(temporary, address, { mode: SOCKET_MODE }) };
  } catch (error) {
    close(fd);
    throw error;
  }
}
