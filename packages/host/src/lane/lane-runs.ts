import type { GuestView } from '../core/view.ts';
import { type PeerCredentials, peerCredentials } from '../native/peer-credentials.ts';
import { originOf } from '../peer/identify.ts';
import { pidfdKernel } from '../peer/kernel.ts';
import type { CallerGroup } from './caller-group.ts';
import { KnownProcesses } from './known-processes.ts';
import { LaneRun } from './lane-run.ts';
import type { RunIdentity } from './messages.ts';

/** A caller that belongs to no known run. */
export interface UnknownCaller {
  readonly uid: number;
  /** As in `Origin`. */
  readonly outermost: string | null;
}

/** The caller at the other end of a socket. */
export type Found = CallerGroup | UnknownCaller;

/** The running instances, and the callers that belong to them. */
export class LaneRuns {
  readonly #byInstance = new Map<number, LaneRun>();
  readonly #byNamespace = new Map<string, LaneRun>();
  readonly #processes: KnownProcesses;
  #strangers = 0;

  /** @param processesMax how many processes are recognised without a look at their namespaces */
  constructor(processesMax?: number) {
    this.#processes = new KnownProcesses(processesMax);
  }

  add(facts: RunIdentity, view: GuestView | undefined): void {
    this.end(facts.instanceId);
    const run = new LaneRun(facts, view);
    this.#byInstance.set(facts.instanceId, run);
    if (view !== undefined) this.#open(run);
  }

  end(instanceId: number): void {
    const run = this.#byInstance.get(instanceId);
    if (run === undefined) return;
    run.end();
    this.#byInstance.delete(instanceId);
    if (this.#byNamespace.get(run.facts.namespace) === run) this.#byNamespace.delete(run.facts.namespace);
    this.#processes.forgetRun(run);
  }

  /** @returns the namespace of a run whose callers can be identified from now on: this is its first view */
  setView(view: GuestView): string | null {
    const run = this.#byInstance.get(view.instanceId);
    if (run === undefined) return null;
    const isFirst = run.currentView() === undefined;
    run.setView(view);
    if (!isFirst) return null;
    this.#open(run);
    return run.facts.namespace;
  }

  /** A run of an instance that is not stored yet has no view: its callers are unknown until then. */
  #open(run: LaneRun): void {
    this.#byNamespace.set(run.facts.namespace, run);
    // The new namespace may lie between a known process and the run that was found for it.
    this.#processes.clear();
  }

  /** The run that owns a PID namespace; the same as in the registry of `peer`. */
  find(namespace: string): RunIdentity | null {
    return this.#byNamespace.get(namespace)?.facts ?? null;
  }

  get size(): number {
    return this.#byInstance.size;
  }

  /**
   * The callers at the other ends of some sockets, given in the order in which they were accepted. The uid is
   * read for each connection; the run is looked up once for each process.
   */
  identify(sockets: readonly number[]): Found[] {
    const credentials = sockets.map(credentialsOf);
    const pids = Int32Array.from(credentials, ({ pid }) => pid);
    this.#processes.beginCheck();
    const found = sockets.map((socket, index) => {
      const { pid, uid } = credentials[index]!;
      const run = this.#processes.runOf(pid);
      if (run !== undefined) return placeOf(run, uid, null);
      return this.#look(socket, uid, pid, pids.includes(pid, index + 1));
    });
    this.#processes.endCheck();
    return found;
  }

  /** The same for a connection that is older than others that were identified: its pid cannot be used. */
  identifyLater(socket: number): Found {
    const { uid } = credentialsOf(socket);
    return this.#look(socket, uid);
  }

  /** How many callers so far were not recognised by their process. */
  get strangers(): number {
    return this.#strangers;
  }

  /** Whether the process with this pid is recognised without a look at its namespaces. */
  knows(pid: number): boolean {
    return this.#processes.has(pid);
  }

  /** How many processes are recognised without a look at their namespaces. */
  get knownProcesses(): number {
    return this.#processes.size;
  }

  /** Closes the descriptors of processes that have ended, some at a time. */
  sweep(atATime?: number): void {
    this.#processes.sweep(atATime);
  }

  /** Forgets all known processes and closes their descriptors; each is looked at again when it connects. */
  forgetProcesses(): void {
    this.#processes.clear();
  }

  #look(socket: number, uid: number, pid = 0, again = false): Found {
    this.#strangers++;
    const { run, outermost } = originOf(pidfdKernel, this, socket);
    const found = run === null ? null : (this.#byInstance.get(run.instanceId) ?? null);
    if (pid > 0 && outermost === null) this.#processes.remember(socket, pid, found, again);
    return placeOf(found, uid, outermost);
  }
}

function placeOf(run: LaneRun | null, uid: number, outermost: string | null): Found {
  if (run === null) return { uid, outermost };
  return uid === run.facts.rootUid ? run.root : run.others;
}

/** A broken socket gives no pid, so no run is found for it. */
function credentialsOf(socket: number): PeerCredentials {
  try {
    return peerCredentials(socket);
  } catch {
    return { pid: 0, uid: -1, gid: -1 };
  }
}
