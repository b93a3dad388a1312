import type { Socket } from 'node:net';

/** The number of the socket's file descriptor, which Node keeps to itself. */
export function descriptorOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}
