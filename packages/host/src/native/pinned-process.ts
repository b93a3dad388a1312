import { duplicate } from './descriptors.ts';
import { close, SystemError } from './libc.ts';
import { isAlive, openPidfd, signalPidfd, takeDescriptor } from './pidfd.ts';
import { startTimeOf } from './start-time.ts';

/**
 * A process that is held by a pidfd: all calls affect exactly this process, even if its pid is reused. Once
 * released, it counts as ended, so that no other descriptor with the same number is used.
 */
export class PinnedProcess {
  readonly pid: number;
  #pidfd: number | null;

  private constructor(pid: number) {
    this.pid = pid;
    this.#pidfd = openPidfd(pid);
  }

  /** Takes hold of the process that has this pid now; null when there is none. */
  static find(pid: number): PinnedProcess | null {
    try {
      return new PinnedProcess(pid);
    } catch (error) {
      if (error instanceof SystemError && error.code === 'ESRCH') return null;
      throw error;
    }
  }

  /** Takes hold of the process that had this pid and this start time; null when it has ended. */
  static named(pid: number, startTime: string): PinnedProcess | null {
    const process = PinnedProcess.find(pid);
    // The start time is read by pid. It belongs to this process only if it is still alive after that.
    if (process && startTimeOf(pid) === startTime && process.isAlive()) return process;
    process?.release();
    return null;
  }

  /** The descriptor; null after the release. */
  get pidfd(): number | null {
    return this.#pidfd;
  }

  /** Whether the process has not been reaped yet. */
  isAlive(): boolean {
    return this.#pidfd !== null && isAlive(this.#pidfd);
  }

  /** Sends a signal; does nothing if the process has ended. */
  signal(number: number): void {
    if (!this.isAlive()) return;
    try {
      signalPidfd(this.#pidfd as number, number);
    } catch {
      // The process has ended since then; its end is noticed elsewhere.
    }
  }

  /** Another descriptor of the process, to be closed by the caller. @throws when it has been released */
  duplicate(): number {
    return duplicate(this.#pidfd ?? -1);
  }

  /** A duplicate of a descriptor that the process has, to be closed by the caller. @throws SystemError */
  descriptor(fd: number): number {
    return takeDescriptor(this.#pidfd ?? -1, fd);
  }

  release(): void {
    if (this.#pidfd !== null) close(this.#pidfd);
    this.#pidfd = null;
  }
}
