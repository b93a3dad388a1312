import { close } from '../native/libc.ts';
import { peerPidfd } from '../native/peer-credentials.ts';
import { isAlive } from '../native/pidfd.ts';
import { KNOWN_PROCESSES_MAX, KNOWN_PROCESSES_PER_RUN_MAX } from './limits.ts';
import type { Run } from './run.ts';

/** A process that was found to belong to a run, held by a pidfd. */
interface KnownProcess {
  readonly pid: number;
  readonly pidfd: number;
  readonly run: Run;
  /** The check in which it was last seen alive. */
  seen: number;
  /** It has connected again since it was last considered for eviction. */
  used: boolean;
}

/**
 * Processes that have connected before, by pid. One that is still there, unreaped, has had its pid ever since it was
 * remembered; and connections are accepted in the order in which they were made. So whoever connects later under
 * that pid is that process, if it is alive *after* the pid of the new connection was read. Its PID namespace, and
 * with it its instance, cannot have changed: setns(2) and unshare(2) move later children only.
 */
export class KnownProcesses {
  /** The oldest first. */
  readonly #byPid = new Map<number, KnownProcess>();
  readonly #byRun = new Map<Run, KnownProcess[]>();
  readonly #max: number;
  #check = 0;

  constructor(max = KNOWN_PROCESSES_MAX) {
    this.#max = max;
  }

  /** Call it when the pids that will be asked for have been read; what was seen alive before does not count. */
  beginCheck(): void {
    this.#check++;
  }

  /** The run that a pid belongs to. */
  runOf(pid: number): Run | undefined {
    const known = this.#byPid.get(pid);
    if (known === undefined) return undefined;
    if (known.seen !== this.#check && !isAlive(known.pidfd)) {
      this.#forget(known);
      return undefined;
    }
    known.seen = this.#check;
    known.used = true;
    return known.run;
  }

  /** Remembers the process at the other end of a socket, which has been found to belong to a run. */
  remember(socket: number, pid: number, run: Run): void {
    if (!this.#makeRoom(run)) return;
    const pidfd = openPeer(socket);
    if (pidfd < 0) return;
    if (!isAlive(pidfd)) {
      // Its pid may be another's already.
      close(pidfd);
      return;
    }
    const before = this.#byPid.get(pid);
    if (before !== undefined) this.#forget(before);
    const known = { pid, pidfd, run, seen: this.#check, used: false };
    this.#byPid.set(pid, known);
    const its = this.#byRun.get(run);
    if (its === undefined) this.#byRun.set(run, [known]);
    else its.push(known);
  }

  /** Forgets those of a run that is over. */
  forgetRun(run: Run): void {
    for (const known of [...(this.#byRun.get(run) ?? [])]) this.#forget(known);
  }

  clear(): void {
    for (const known of this.#byPid.values()) this.#forget(known);
  }

  has(pid: number): boolean {
    return this.#byPid.has(pid);
  }

  get size(): number {
    return this.#byPid.size;
  }

  /**
   * False when there is no place now. One that has connected again keeps its place once more, so those that come
   * often stay, and those that came once, or are gone, make room.
   */
  #makeRoom(run: Run): boolean {
    const its = this.#byRun.get(run);
    if (its !== undefined && its.length >= KNOWN_PROCESSES_PER_RUN_MAX) this.#forget(its[0]!);
    if (this.#byPid.size < this.#max) return true;
    const oldest: KnownProcess = this.#byPid.values().next().value!;
    if (!oldest.used) {
      this.#forget(oldest);
      return true;
    }
    oldest.used = false;
    // Considered last the next time.
    this.#byPid.delete(oldest.pid);
    this.#byPid.set(oldest.pid, oldest);
    return false;
  }

  #forget(known: KnownProcess): void {
    close(known.pidfd);
    this.#byPid.delete(known.pid);
    const its = this.#byRun.get(known.run)!;
    its.splice(its.indexOf(known), 1);
    if (its.length === 0) this.#byRun.delete(known.run);
  }
}

/** -1 when the process is gone, or there are no descriptors left. */
function openPeer(socket: number): number {
  try {
    return peerPidfd(socket);
  } catch {
    return -1;
  }
}
