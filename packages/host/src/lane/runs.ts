import type { Caller } from '../core/caller.ts';
import type { GuestView } from '../core/view.ts';
import { close } from '../native/libc.ts';
import { peerCredentials, peerPidfd } from '../native/peer-credentials.ts';
import { isAlive } from '../native/pidfd.ts';
import { hasUniquePidfds, processNumber } from '../native/pidfs.ts';
import { identify } from '../peer/identify.ts';
import { pidfdKernel } from '../peer/kernel.ts';
import type { Group } from './group.ts';
import type { RunFacts } from './messages.ts';
import { Run } from './run.ts';

/**
 * The running instances, and who belongs to them. A process that has been found to belong to a run is
 * recognised by its number the next time it connects: the kernel gives no other process that number, and a
 * process never leaves its PID namespace. The uid is asked anew for each connection. Only what was found is
 * remembered, and only until its run is over or any other begins.
 */
export class Runs {
  readonly #byInstance = new Map<number, Run>();
  readonly #byNamespace = new Map<string, Run>();
  readonly #byProcess = new Map<number, Run>();
  readonly #remembers = hasUniquePidfds();

  add(facts: RunFacts, view: GuestView | undefined): void {
    this.end(facts.instanceId);
    const run = new Run(facts, view);
    this.#byInstance.set(facts.instanceId, run);
    this.#byNamespace.set(facts.namespace, run);
    // Its namespace may lie between a known process and the instance that was found for it.
    this.#forgetProcesses();
  }

  end(instanceId: number): void {
    const run = this.#byInstance.get(instanceId);
    if (run === undefined) return;
    run.end();
    this.#byInstance.delete(instanceId);
    if (this.#byNamespace.get(run.facts.namespace) === run) this.#byNamespace.delete(run.facts.namespace);
    for (const number of run.processes) this.#byProcess.delete(number);
  }

  setView(view: GuestView): void {
    this.#byInstance.get(view.instanceId)?.setView(view);
  }

  /** The live run that owns a PID namespace; as the registry of `peer`. */
  find(namespace: string): RunFacts | null {
    const facts = this.#byNamespace.get(namespace)?.facts;
    return facts && isAlive(facts.initPidfd) ? facts : null;
  }

  /** Who is at the other end of an accepted socket; undefined for a process of no run. */
  identify(socket: number): Group | undefined {
    const number = this.#remembers ? numberOfPeer(socket) : 0;
    const run = this.#byProcess.get(number);
    if (run === undefined) return this.#find(socket, number);
    return peerCredentials(socket).uid === run.facts.rootUid ? run.root : run.others;
  }

  /** The group of a caller whose run goes on. */
  groupOf(caller: Caller): Group | undefined {
    if (caller.kind === 'no-instance') return undefined;
    const run = this.#byInstance.get(caller.instanceId);
    if (run?.facts.boot !== caller.boot) return undefined;
    return caller.kind === 'instance' ? run.root : run.others;
  }

  #find(socket: number, number: number): Group | undefined {
    const group = this.groupOf(identify(pidfdKernel, this, socket));
    if (group !== undefined && number !== 0) this.#remember(group.run, number);
    return group;
  }

  #remember(run: Run, number: number): void {
    this.#byProcess.set(number, run);
    const oldest = run.addProcess(number);
    if (oldest !== undefined) this.#byProcess.delete(oldest);
  }

  #forgetProcesses(): void {
    for (const run of this.#byProcess.values()) run.processes.length = 0;
    this.#byProcess.clear();
  }
}

/** The number of the connected process; 0 when it cannot be told. */
function numberOfPeer(socket: number): number {
  try {
    const pidfd = peerPidfd(socket);
    const number = processNumber(pidfd);
    close(pidfd);
    return number;
  } catch {
    return 0;
  }
}
