import type { Caller } from '../core/caller.ts';
import type { GuestView } from '../core/view.ts';
import { type PeerCredentials, peerCredentials } from '../native/peer-credentials.ts';
import { identify } from '../peer/identify.ts';
import { pidfdKernel } from '../peer/kernel.ts';
import type { Group } from './group.ts';
import { KnownProcesses } from './known-processes.ts';
import type { RunFacts } from './messages.ts';
import { Run } from './run.ts';

/** The running instances, and who belongs to them. */
export class Runs {
  readonly #byInstance = new Map<number, Run>();
  readonly #byNamespace = new Map<string, Run>();
  readonly #processes: KnownProcesses;

  /** @param processesMax how many processes are recognised without being looked at */
  constructor(processesMax?: number) {
    this.#processes = new KnownProcesses(processesMax);
  }

  add(facts: RunFacts, view: GuestView | undefined): void {
    this.end(facts.instanceId);
    const run = new Run(facts, view);
    this.#byInstance.set(facts.instanceId, run);
    this.#byNamespace.set(facts.namespace, run);
    // Its namespace may lie between a known process and the instance that was found for it.
    this.#processes.clear();
  }

  end(instanceId: number): void {
    const run = this.#byInstance.get(instanceId);
    if (run === undefined) return;
    run.end();
    this.#byInstance.delete(instanceId);
    if (this.#byNamespace.get(run.facts.namespace) === run) this.#byNamespace.delete(run.facts.namespace);
    this.#processes.forgetRun(run);
  }

  setView(view: GuestView): void {
    this.#byInstance.get(view.instanceId)?.setView(view);
  }

  /** The run that owns a PID namespace; as the registry of `peer`. */
  find(namespace: string): RunFacts | null {
    return this.#byNamespace.get(namespace)?.facts ?? null;
  }

  /**
   * Who is at the other end of some sockets, in the order in which they were accepted; undefined for a process of
   * no run. The uid is that of each connection; which run it is, is asked anew for processes that are not known.
   */
  identify(sockets: readonly number[]): (Group | undefined)[] {
    const credentials = sockets.map(credentialsOf);
    this.#processes.beginCheck();
    return sockets.map((socket, index) => this.#identify(socket, credentials[index]!));
  }

  /** The group of a caller whose run goes on. */
  groupOf(caller: Caller): Group | undefined {
    if (caller.kind === 'no-instance') return undefined;
    const run = this.#byInstance.get(caller.instanceId);
    if (run?.facts.boot !== caller.boot) return undefined;
    return caller.kind === 'instance' ? run.root : run.others;
  }

  /** Whether a pid is that of a process that is recognised without being looked at. */
  knows(pid: number): boolean {
    return this.#processes.has(pid);
  }

  /** How many processes are recognised without being looked at. */
  get knownProcesses(): number {
    return this.#processes.size;
  }

  /** Looks at everybody anew; closes all descriptors that are held for not doing so. */
  forgetProcesses(): void {
    this.#processes.clear();
  }

  #identify(socket: number, { pid, uid }: PeerCredentials): Group | undefined {
    const run = this.#processes.runOf(pid);
    if (run !== undefined) return uid === run.facts.rootUid ? run.root : run.others;
    const group = this.groupOf(identify(pidfdKernel, this, socket));
    if (group !== undefined) this.#processes.remember(socket, pid, group.run);
    return group;
  }
}

/** Of a broken socket: no pid, so that nobody is found. */
function credentialsOf(socket: number): PeerCredentials {
  try {
    return peerCredentials(socket);
  } catch {
    return { pid: 0, uid: -1, gid: -1 };
  }
}
