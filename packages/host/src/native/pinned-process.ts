import { duplicate } from './descriptors.ts';
import { close, SystemError } from './libc.ts';
import { isAlive, openPidfd, signalPidfd } from './pidfd.ts';
import { startTimeOf } from './start-time.ts';

/**
 * A process that is held by a pidfd: whatever becomes of its pid, what is asked or done here is asked of and done
 * to that very process. Once released it counts as ended, so that no other descriptor of the same number is meant.
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

  /** The very process that had this pid and this start time; null when it has ended. */
  static named(pid: number, startTime: string): PinnedProcess | null {
    const process = PinnedProcess.find(pid);
    // The start time is read by pid: that it is this process's is known by its being alive.
    if (process && startTimeOf(pid) === startTime && process.isAlive()) return process;
    process?.release();
    return null;
  }

  /** The descriptor, for as long as it is held; null after that. */
  get pidfd(): number | null {
    return this.#pidfd;
  }

  /** Whether it has not been reaped yet. */
  isAlive(): boolean {
    return this.#pidfd !== null && isAlive(this.#pidfd);
  }

  /** Sends a signal; to a process that has ended by itself, none. */
  signal(number: number): void {
    if (!this.isAlive()) return;
    try {
      signalPidfd(this.#pidfd as number, number);
    } catch {
      // It has ended since; its end is being noticed.
    }
  }

  /** A descriptor of one's own on the process, to be closed by the caller. @throws when it has been released */
  duplicate(): number {
    return duplicate(this.#pidfd ?? -1);
  }

  release(): void {
    if (this.#pidfd !== null) close(this.#pidfd);
    this.#pidfd = null;
  }
}
