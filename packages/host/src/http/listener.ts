import { rm } from 'node:fs/promises';
import { moveSocket, socketRemover } from '../base/socket-file.ts';
import type { InheritedSocket } from '../base/sockets.ts';
import { makeNonBlocking } from '../native/descriptors.ts';
import { close } from '../native/libc.ts';
import { listenUnix, refuseDescriptors } from '../native/sockets.ts';

/** Any process may connect: its identity decides whether it is served, not the file mode. */
const SOCKET_MODE = 0o666;

/**
 * Connections that wait to be accepted; the kernel takes the smaller of this and `somaxconn`. When the queue
 * is full, clients that do not wait get an error, so it has space for all instances that boot at once. In a
 * flood the fast lane makes it shorter for a while (docs/performance.md).
 */
export const BACKLOG = 4096;

/** Where to listen: a path, or an inherited listening socket. */
export type ListenAddress = string | InheritedSocket;

/** A listening socket whose connections are not accepted yet. */
export interface Listening {
  readonly fd: number;
  /** Whether callers cannot make a reader wait; see `refuseDescriptors`. */
  readonly refusesDescriptors: boolean;
  /** Removes the socket's name. Undefined if name and waiting connections belong to the next server. */
  readonly unlink: (() => Promise<void>) | undefined;
}

/**
 * The path appears only when connections to it are accepted: the socket is bound under another name in the
 * same directory and then renamed. This also replaces a socket that a killed daemon has left.
 */
export async function openListener(address: ListenAddress): Promise<Listening> {
  if (typeof address !== 'string') {
    const { fd, path } = address;
    // The socket of a service manager may block, and then a thread would wait in accept for ever.
    makeNonBlocking(fd);
    const refusesDescriptors = refuseDescriptors(fd);
    return { fd, refusesDescriptors, unlink: path === undefined ? undefined : await socketRemover(path) };
  }
  const temporary = `${address}.new`;
  await rm(temporary, { force: true });
  const fd = listenUnix(temporary, BACKLOG);
  const refusesDescriptors = refuseDescriptors(fd);
  try {
    return { fd, refusesDescriptors, unlink: await moveSocket(temporary, address, { mode: SOCKET_MODE }) };
  } catch (error) {
    close(fd);
    throw error;
  }
}
