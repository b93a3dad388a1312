import koffi from 'koffi';
import { checked, close, declare } from './libc.ts';
import { AF_UNIX, unixAddress } from './unix-address.ts';

const socket = declare('int socket(int family, int type, int protocol)');
const bind = declare('int bind(int fd, const void *address, uint length)');
const listen = declare('int listen(int fd, int backlog)');
const acceptCall = declare('int accept4(int fd, void *address, void *length, int flags)');
const recvCall = declare('long recv(int fd, _Out_ void *bytes, size_t length, int flags)');
const sendCall = declare('long send(int fd, const void *bytes, size_t length, int flags)');
const shutdownCall = declare('int shutdown(int fd, int how)');

const setsockopt = declare('int setsockopt(int fd, int level, int option, const void *value, uint length)');

const SOL_SOCKET = 1;
const SO_PASSRIGHTS = 83;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
/** SOCK_NONBLOCK and SOCK_CLOEXEC, for socket(2) and accept4(2). */
const NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
const SHUT_WR = 1;
const SHUT_RDWR = 2;
const MSG_PEEK = 0x02;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/** Result of {@link receive}, {@link transmit} and {@link acceptNext} when there is nothing to do now. */
export const AGAIN = -1;
/** Their result when the connection, or accepting, is broken. */
export const BROKEN = -2;

/** A Unix socket for datagrams, to be closed by the caller; negative when no descriptors are left. */
export function openDatagramSocket(): number {
  return socket(AF_UNIX, SOCK_DGRAM | NONBLOCK_CLOEXEC, 0);
}

/** A listening Unix socket at a path, to be closed by the caller. @throws SystemError */
export function listenUnix(path: string, backlog: number): number {
  const address = unixAddress(path);
  const fd = checked('socket', socket(AF_UNIX, SOCK_STREAM | NONBLOCK_CLOEXEC, 0));
  try {
    checked('bind', bind(fd, address, address.length));
    checked('listen', listen(fd, backlog));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** Changes how many connections may wait at a listening socket; those that wait already stay; listen(2). */
export function setQueueDepth(listening: number, backlog: number): void {
  listen(listening, backlog);
}

const no = Buffer.alloc(4);

/**
 * Makes the kernel refuse descriptors that are sent to a Unix socket, and to connections that it accepts from now on
 * (SO_PASSRIGHTS, Linux 6.16; without effect before). Otherwise a reader closes them, and then waits for as long as
 * their sender likes: a TCP connection with SO_LINGER can take years to close.
 * @returns whether the kernel does so
 */
export function refuseDescriptors(fd: number): boolean {
  return setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, no, no.length) === 0;
}

/** The next waiting connection of a listening socket: its descriptor, {@link AGAIN} or {@link BROKEN}. */
export function acceptNext(listening: number): number {
  const fd = acceptCall(listening, null, null, NONBLOCK_CLOEXEC);
  return fd >= 0 ? fd : outcome();
}

/** Reads what is there into `bytes`. Returns how many bytes, 0 at the end of input, or as above. */
export function receive(fd: number, bytes: Buffer): number {
  const count = recvCall(fd, bytes, bytes.length, MSG_DONTWAIT);
  return count >= 0 ? Number(count) : outcome();
}

const one = Buffer.alloc(1);

/** Whether the input has ended and nothing is left to read. Takes no bytes. */
export function isAtEnd(fd: number): boolean {
  return Number(recvCall(fd, one, 1, MSG_DONTWAIT | MSG_PEEK)) === 0;
}

/** Writes the first `length` of `bytes`. Returns how many the kernel has taken, or as above. */
export function transmit(fd: number, bytes: Buffer, length: number): number {
  const count = sendCall(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  return count >= 0 ? Number(count) : outcome();
}

/** Ends a connection for all that have a descriptor of it; shutdown(2). */
export function shutdown(fd: number): void {
  shutdownCall(fd, SHUT_RDWR);
}

/** Ends this side's output; the other end reads up to there; shutdown(2). */
export function endOutput(fd: number): void {
  shutdownCall(fd, SHUT_WR);
}

const { EAGAIN, EINTR, ECONNABORTED } = koffi.os.errno;

function outcome(): typeof AGAIN | typeof BROKEN {
  const errno = koffi.errno();
  return errno === EAGAIN || errno === EINTR || errno === ECONNABORTED ? AGAIN : BROKEN;
}
