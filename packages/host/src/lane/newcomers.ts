import { type NewProcesses, STORM_PER_SECOND } from '../core/new-processes.ts';
import { close } from '../native/libc.ts';
import { peerCredentials, peerPidfd } from '../native/peer-credentials.ts';
import { cgroupIdOf } from '../native/pidfd.ts';
import {
  NEWCOMERS_CGROUPS_MAX,
  NEWCOMERS_LOOKED_MIN,
  NEWCOMERS_LOOKS,
  NEWCOMERS_MS,
  NEWCOMERS_PIDS_MAX,
} from './lane-limits.ts';

const MS_PER_S = 1000;
/** Strangers in one time from which on connections are looked at: half of those of a storm. */
const LOOK_FROM = (STORM_PER_SECOND * NEWCOMERS_MS) / MS_PER_S / 2;

/** The process that has connected a socket. */
export interface Newcomer {
  readonly pid: number;
  /** As in {@link NewProcesses}; null if it is unknown. */
  readonly cgroup: bigint | null;
}

/**
 * Finds out the cgroups of new processes while very many of them connect. It costs two additions for each batch of
 * connections, unless many of their processes are strangers: then some connections of each batch are looked at. The
 * kernel also tells the cgroup of a process that has ended, as most processes of a fork storm have.
 */
export class Newcomers {
  readonly #report: (found: NewProcesses) => void;
  readonly #lookAt: (socket: number) => Newcomer | null;
  #sinceMs = 0;
  #accepted = 0;
  #strangers = 0;
  #looked = 0;
  /**
   * Whether there were as many strangers as in a storm when last counted. While the lane has to wait for the processor,
   * its batches are few and large: then it must look at each of them.
   */
  #areMany = false;
  readonly #byCgroup = new Map<bigint, number>();
  /** Processes that were seen lately: one that connects again and again is new only once. */
  readonly #pids = new Set<number>();

  /** @param report called for each time in which there were as many strangers as in a storm */
  constructor(report: (found: NewProcesses) => void, lookAt = newcomerOf) {
    this.#report = report;
    this.#lookAt = lookAt;
  }

  /** Looks at some connections of a batch, if it is worth it. Call this before any of them is closed. */
  look(sockets: readonly number[]): void {
    // With more cgroups, the rest of this time is not looked at: leaving out only those of further cgroups would give
    // the others too large a part.
    const areMany = this.#areMany || this.#strangers >= LOOK_FROM;
    if (!areMany || this.#byCgroup.size >= NEWCOMERS_CGROUPS_MAX) return;
    for (const socket of sockets.slice(0, NEWCOMERS_LOOKS)) this.#note(this.#lookAt(socket));
  }

  /** Counts the connections of a batch, and how many of their processes were strangers: not known before. */
  count(accepted: number, strangers: number, nowMs: number): void {
    this.#accepted += accepted;
    this.#strangers += strangers;
    const ms = nowMs - this.#sinceMs;
    if (ms < NEWCOMERS_MS) return;
    this.#areMany = this.#strangers * MS_PER_S >= STORM_PER_SECOND * ms;
    if (this.#areMany && this.#looked < NEWCOMERS_LOOKED_MIN) return;
    if (this.#areMany) {
      const connectionsPerSecond = Math.round((this.#accepted * MS_PER_S) / ms);
      this.#report({ connectionsPerSecond, looked: this.#looked, byCgroup: new Map(this.#byCgroup) });
    }
    this.#sinceMs = nowMs;
    this.#accepted = 0;
    this.#strangers = 0;
    this.#looked = 0;
    this.#byCgroup.clear();
  }

  #note(newcomer: Newcomer | null): void {
    this.#looked++;
    if (newcomer === null || this.#pids.has(newcomer.pid)) return;
    if (this.#pids.size >= NEWCOMERS_PIDS_MAX) this.#pids.clear();
    this.#pids.add(newcomer.pid);
    const { cgroup } = newcomer;
    if (cgroup !== null) this.#byCgroup.set(cgroup, (this.#byCgroup.get(cgroup) ?? 0) + 1);
  }
}

function newcomerOf(socket: number): Newcomer | null {
  const pidfd = peerPidfd(socket);
  if (pidfd === null) return null;
  try {
    return { pid: peerCredentials(socket).pid, cgroup: cgroupIdOf(pidfd) };
  } catch {
    return null;
  } finally {
    close(pidfd);
  }
}
