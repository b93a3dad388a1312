import { close } from '../native/libc.ts';
import { peerPidfd } from '../native/peer-credentials.ts';
import { isAlive, isTaken } from '../native/pidfd.ts';
import { KNOWN_PROCESSES_MAX, KNOWN_PROCESSES_PER_RUN_MAX } from './lane-limits.ts';
import type { LaneRun } from './lane-run.ts';

/**
 * Processes that are looked at in one sweep, whether they are gone: a fraction of a millisecond. As many as there may
 * be have all been looked at after some fifteen sweeps.
 */
const SWEPT_AT_A_TIME = 128;

/** A process that was found to belong to a run, or to none, held by a pidfd. */
interface KnownProcess {
  readonly pid: number;
  readonly pidfd: number;
  readonly run: LaneRun | null;
  /** The check in which it was last seen alive. */
  seen: number;
  /** It has connected again since it was last considered for eviction. */
  used: boolean;
}

/**
 * Processes that have connected before, by pid. One that is still there, unreaped, has had its pid ever since it was
 * remembered; and connections are accepted in the order in which they were made. So a caller that connects later under
 * that pid is that process, if it is alive *after* the pid of the new connection was read. Its PID namespace, and
 * with it its instance, cannot have changed: setns(2) and unshare(2) move later children only.
 */
export class KnownProcesses {
  /** The oldest first. */
  readonly #byPid = new Map<number, KnownProcess>();
  readonly #byRun = new Map<LaneRun, KnownProcess[]>();
  /** Those that are remembered for as long as a check lasts, because they come more than once in it. */
  readonly #brief = new Map<number, KnownProcess>();
  /** Pids that nobody has any more since they were read: who had them when it connected is gone. */
  readonly #gone = new Set<number>();
  readonly #max: number;
  /** Where the sweep has got to; it goes on there, also when some were forgotten or have come since. */
  #sweep = this.#byPid.values();
  #check = 0;

  constructor(max = KNOWN_PROCESSES_MAX) {
    this.#max = max;
  }

  /** Call it when the pids that will be asked for have been read; what was seen alive before does not count. */
  beginCheck(): void {
    this.#check++;
  }

  /** Call it when they have been asked for. */
  endCheck(): void {
    for (const known of this.#brief.values()) {
      if (known.run !== null && this.#makeRoom(known.run)) this.#keep(known, known.run);
      else close(known.pidfd);
    }
    this.#brief.clear();
    this.#gone.clear();
  }

  /** The run that a pid belongs to; null: none, undefined: not known. */
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
   * Remembers the process at the other end of a socket, which has been found to belong to a run, or to none.
   * @param again it will be asked for again in this check, and costs one look in it, even without a place
   */
  remember(socket: number, pid: number, run: LaneRun | null, again: boolean): void {
    if (!again && (run === null || !this.#makeRoom(run))) return;
    const pidfd = peerPidfd(socket);
    if (pidfd === null || !isAlive(pidfd)) {
      if (pidfd !== null) close(pidfd);
      // Its pid may be another's already.
      if (again && !isTaken(pid)) this.#gone.add(pid);
      return;
    }
    const known = { pid, pidfd, run, seen: this.#check, used: false };
    if (again || run === null) this.#brief.set(pid, known);
    else this.#keep(known, run);
  }

  /** Forgets those of a run that is over. */
  forgetRun(run: LaneRun): void {
    for (const known of [...(this.#byRun.get(run) ?? [])]) this.#forget(known);
  }

  /** Forgets some of those that are gone: nobody may connect again, who would push them out. */
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
   * False when there is no place now. One that has connected again keeps its place once more, so those that come
   * often stay, and those that came once, or are gone, make room.
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
    // Considered last the next time.
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
