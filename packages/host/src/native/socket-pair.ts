import { checked, declare } from './libc.ts';
import { AF_UNIX } from './unix-address.ts';

const socketpair = declare('int socketpair(int family, int type, int protocol, _Out_ void *fds)');

const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const FD_BYTES = 4;

/** Two Unix sockets that are connected to each other, socketpair(2); both to be closed by the caller. */
export function connectedPair(): [one: number, other: number] {
  const fds = Buffer.alloc(2 * FD_BYTES);
  checked('socketpair', socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  return [fds.readInt32LE(0), fds.readInt32LE(FD_BYTES)];
}
