import { close } from '../native/libc.ts';
import { peerPidfd } from '../native/peer-credentials.ts';
import { isAlive, isTaken } from '../native/pidfd.ts';
import { KNOWN_PROCESSES_MAX, KNOWN_PROCESSES_PER_RUN_MAX } from './lane-limits.ts';
import type { LaneRun } from './lane-run.ts';

/**
 * Processes that one sweep checks for their end, in a fraction of a millisecond. About fifteen sweeps check
 * all that may be known.
 */
const SWEPT_AT_A_TIME = 128;

/** A process that was found to belong to a run, or to none, held by a pidfd. */
interface KnownProcess {
  readonly pid: number;
  readonly pidfd: number;
  readonly run: LaneRun | null;
  /** The check in which it was last seen alive. */
  seen: number;
  /** Whether it has connected again since it was last considered for eviction. */
  used: boolean;
}

/**
 * Processes that have connected before, by pid. A process that has not been reaped still has its pid, and
 * connections are accepted in the order in which they were made. So a caller that connects later with the
 * same pid is the same process, if that process is alive *after* the pid of the new connection was read. Its
 * PID namespace, and with it its instance, cannot have changed: setns(2) and unshare(2) move later children
 * only.
 */
export class KnownProcesses {
  /** The oldest first. */
  readonly #byPid = new Map<number, KnownProcess>();
  readonly #byRun = new Map<LaneRun, KnownProcess[]>();
  /** Processes that are remembered only during a check, because they occur more than once in it. */
  readonly #brief = new Map<number, KnownProcess>();
  /** Pids that no process has any more: the process that had the pid when it connected has ended. */
  readonly #gone = new Set<number>();
  readonly #max: number;
  /** The position of the sweep. It stays valid when processes are forgotten or added. */
  #sweep = this.#byPid.values();
  #check = 0;

  constructor(max = KNOWN_PROCESSES_MAX) {
    this.#max = max;
  }

  /** Call this after the pids to be asked for were read; an earlier sign of life does not count. */
  beginCheck(): void {
    this.#check++;
  }

  /** Call this after they have been asked for. */
  endCheck(): void {
    for (const known of this.#brief.values()) {
      if (known.run !== null && this.#makeRoom(known.run)) this.#keep(known, known.run);
      else close(known.pidfd);
    }
    this.#brief.clear();
    this.#gone.clear();
  }

  /** The run that a pid belongs to; null for none, undefined if it is not known. */
  runOf(pid: number): LaneRun | null | undefined {
    if (this.#gone.has(pid)) return null;
    const known = this.#brief.get(pid) ?? this.#byPid.get(pid);
    if (known === undefined) return undefined;
    if (known.seen !== this.#check && !isAlive(known.pidfd)) {
      this.#forget(known);
      return undefined;
    }
    known.seen = this.#check;
    known.used = true;
    return known.run;
  }

  /**
   * Remembers the process at the other end of a socket, which was found to belong to a run, or to none.
   * @param again the pid occurs again in this check: the process is remembered at least until its end
   */
  remember(socket: number, pid: number, run: LaneRun | null, again: boolean): void {
    if (!again && (run === null || !this.#makeRoom(run))) return;
    const pidfd = peerPidfd(socket);
    if (pidfd === null || !isAlive(pidfd)) {
      if (pidfd !== null) close(pidfd);
      // Another process may already have the pid.
      if (again && !isTaken(pid)) this.#gone.add(pid);
      return;
    }
    const known = { pid, pidfd, run, seen: this.#check, used: false };
    if (again || run === null) this.#brief.set(pid, known);
    else this.#keep(known, run);
  }

  /** Forgets the processes of a run that is over. */
  forgetRun(run: LaneRun): void {
    for (const known of [...(this.#byRun.get(run) ?? [])]) this.#forget(known);
  }

  /** Forgets some of the processes that have ended: there may be no new connection that would evict them. */
  sweep(atATime = SWEPT_AT_A_TIME): void {
    for (let looked = 0; looked < atATime; looked++) {
      const { value: known } = this.#sweep.next();
      if (known === undefined) {
        this.#sweep = this.#byPid.values();
        return;
      }
      if (!isAlive(known.pidfd)) this.#forget(known);
    }
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
   * Makes a place for a process; false when there is none now. The oldest process keeps its place once more
   * if it has connected again. So processes that connect often stay, and those that connected once, or have
   * ended, make room.
   */
  #makeRoom(run: LaneRun): boolean {
    const its = this.#byRun.get(run);
    if (its !== undefined && its.length >= KNOWN_PROCESSES_PER_RUN_MAX) this.#forget(its[0]!);
    if (this.#byPid.size < this.#max) return true;
    const oldest: KnownProcess = this.#byPid.values().next().value!;
    if (!oldest.used) {
      this.#forget(oldest);
      return true;
    }
    oldest.used = false;
    // It is considered last the next time.
    this.#byPid.delete(oldest.pid);
    this.#byPid.set(oldest.pid, oldest);
    return false;
  }

  #keep(known: KnownProcess, run: LaneRun): void {
    const before = this.#byPid.get(known.pid);
    if (before !== undefined) this.#forget(before);
    this.#byPid.set(known.pid, known);
    const its = this.#byRun.get(run);
    if (its === undefined) this.#byRun.set(run, [known]);
    else its.push(known);
  }

  #forget(known: KnownProcess): void {
    close(known.pidfd);
    if (this.#brief.get(known.pid) === known) {
      this.#brief.delete(known.pid);
      return;
    }
    this.#byPid.delete(known.pid);
    const its = this.#byRun.get(known.run!)!;
    its.splice(its.indexOf(known), 1);
    if (its.length === 0) this.#byRun.delete(known.run!);
  }
}
