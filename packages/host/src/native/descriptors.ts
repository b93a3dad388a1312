import { checked, declare } from './libc.ts';

const fcntl = declare('int fcntl(int fd, int command, long argument)');

const F_GETFD = 1;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
/** The value on Linux, fcntl(2). */
const F_DUPFD_CLOEXEC = 1030;

/** Sets whether a descriptor stays open in a program that this process starts or becomes; FD_CLOEXEC. */
export function keepOverExec(fd: number, kept: boolean): void {
  const flags = checked('fcntl(F_GETFD)', fcntl(fd, F_GETFD, 0));
  const wanted = kept ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC;
  checked('fcntl(F_SETFD)', fcntl(fd, F_SETFD, wanted));
}

/** Makes calls on a descriptor return at once when there is nothing to do; O_NONBLOCK. */
export function makeNonBlocking(fd: number): void {
  const flags = checked('fcntl(F_GETFL)', fcntl(fd, F_GETFL, 0));
  checked('fcntl(F_SETFL)', fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

/** Another descriptor of the same open file, to be closed by the caller. */
export function duplicate(fd: number): number {
  return checked('fcntl(F_DUPFD_CLOEXEC)', fcntl(fd, F_DUPFD_CLOEXEC, 0));
}
