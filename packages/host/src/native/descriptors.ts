import { checked, declare } from './libc.ts';

const fcntl = declare('int fcntl(int fd, int command, long argument)');

const F_GETFD = 1;
const F_SETFD = 2;
const F_DUPFD_CLOEXEC = 1030;
const FD_CLOEXEC = 1;

/** The lowest number that is no standard stream. */
const FIRST = 3;

/** A second descriptor of the same open file, which stays when the first is closed; fcntl(2), F_DUPFD_CLOEXEC. */
export function duplicate(fd: number): number {
  return checked('fcntl(F_DUPFD_CLOEXEC)', fcntl(fd, F_DUPFD_CLOEXEC, FIRST));
}

/** Says whether a descriptor stays open in a program that this process starts or becomes; FD_CLOEXEC. */
export function keepOverExec(fd: number, kept: boolean): void {
  const flags = checked('fcntl(F_GETFD)', fcntl(fd, F_GETFD, 0));
  const wanted = kept ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC;
  checked('fcntl(F_SETFD)', fcntl(fd, F_SETFD, wanted));
}
