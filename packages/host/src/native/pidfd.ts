import { ioctl, ioctlWith } from './ioctl.ts';
import { checked, declare } from './libc.ts';

const syscallPidfdOpen = declare('long syscall(long number, int pid, uint flags)');
const syscallSendSignal = declare('long syscall(long number, int pidfd, int signal, void *info, uint flags)');
const syscallGetFd = declare('long syscall(long number, int pidfd, int fd, uint flags)');
const kill = declare('int kill(int pid, int signal)');

/** System call numbers, the same on x86-64 and arm64. */
const PIDFD_SEND_SIGNAL = 424;
const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;

/** `_IO(0xFF, 5)` of linux/pidfd.h, Linux 6.11. */
const PIDFD_GET_PID_NAMESPACE = 0xff05;

/** `_IOWR(0xFF, 11, struct pidfd_info)` of linux/pidfd.h with the 64 bytes of its first version, Linux 6.13. */
const PIDFD_GET_INFO = 0xc040ff0b;
/** What is asked for. With PIDFD_INFO_EXIT, the kernel also tells it of a process that has been reaped (Linux 6.16). */
const PIDFD_INFO_CGROUPID = 1n << 2n;
const PIDFD_INFO_EXIT = 1n << 3n;
const info = Buffer.alloc(64);

/** A handle on a process (pidfd_open(2), Linux 5.3); to be closed by the caller. @throws ESRCH */
export function openPidfd(pid: number): number {
  return checked('pidfd_open', syscallPidfdOpen(PIDFD_OPEN, pid, 0));
}

/** Sends a signal to exactly this process (pidfd_send_signal(2)). @throws ESRCH when it is gone */
export function signalPidfd(pidfd: number, signal: number): void {
  checked('pidfd_send_signal', syscallSendSignal(PIDFD_SEND_SIGNAL, pidfd, signal, null, 0));
}

/** A duplicate of a descriptor of another process (pidfd_getfd(2), Linux 5.6); to be closed by the caller. @throws */
export function takeDescriptor(pidfd: number, fd: number): number {
  return checked('pidfd_getfd', syscallGetFd(PIDFD_GETFD, pidfd, fd, 0));
}

/** Whether the process of a pidfd has not been reaped yet. */
export function isAlive(pidfd: number): boolean {
  return Number(syscallSendSignal(PIDFD_SEND_SIGNAL, pidfd, 0, null, 0)) === 0;
}

/** Whether any process has this pid now, including one that has ended and is not reaped yet. */
export function isTaken(pid: number): boolean {
  return kill(pid, 0) === 0;
}

/** Opens the PID namespace of a process; to be closed by the caller. Null if the process is gone. */
export function openPidNamespaceOf(pidfd: number): number | null {
  const namespace = ioctl(pidfd, PIDFD_GET_PID_NAMESPACE, 0);
  return namespace < 0 ? null : namespace;
}

/**
 * The id of a process's cgroup in the unified hierarchy. Of a process that has ended, the one that it had at its end.
 * Null if the kernel does not tell it.
 */
export function cgroupIdOf(pidfd: number): bigint | null {
  info.fill(0);
  info.writeBigUInt64LE(PIDFD_INFO_CGROUPID | PIDFD_INFO_EXIT);
  if (ioctlWith(pidfd, PIDFD_GET_INFO, info) < 0) return null;
  // The kernel writes back which of the fields it has filled in.
  return (info.readBigUInt64LE() & PIDFD_INFO_CGROUPID) === 0n ? null : info.readBigUInt64LE(8);
}
