import { openSync } from 'node:fs';
import { close } from '../native/libc.ts';
import { namespaceKey } from '../native/namespace.ts';
import type { PinnedProcess } from '../native/pinned-process.ts';
import { isInit, rootUidOf } from './proc.ts';

/** The init process of a run, held so that no other process can be taken for it. */
export type HeldInit = Pick<PinnedProcess, 'pid' | 'isAlive'>;

/** A run of an instance, as the kernel knows it. */
export interface RegisteredRun {
  readonly instanceId: number;
  /** This run of the instance; no other has the same number while the daemon lives. */
  readonly runNumber: number;
  /** Host uid of uid 0 inside. */
  readonly rootUid: number;
  readonly namespace: string;
  /** While it is alive, its PID namespace's number cannot be reused. */
  readonly init: HeldInit;
}

/** Which PID namespace belongs to which running instance. */
export class Registry {
  readonly #byNamespace = new Map<string, RegisteredRun>();
  readonly #byInstance = new Map<number, RegisteredRun>();
  #runNumbers = 0;

  /**
   * Registers a running instance by its init process, which stays its runtime's to release.
   * @returns the number of this run
   * @throws when the process is gone, is no init, shares our own or another instance's PID namespace, or has no root
   */
  register(instanceId: number, init: HeldInit): number {
    this.unregister(instanceId);
    const { pid } = init;
    const namespace = namespaceOf(pid);
    const rootUid = rootUidOf(pid);
    if (rootUid === null) throw new Error(`process ${pid} has no root in its user namespace`);
    const owner = this.find(namespace);
    if (owner) throw new Error(`its PID namespace belongs to instance ${owner.instanceId}`);
    if (namespace === namespaceOf('self')) throw new Error(`process ${pid} has no PID namespace of its own`);
    if (!isInit(pid)) throw new Error(`process ${pid} is not the first of its PID namespace`);
    // The facts were read by pid, through /proc: that they are this process's is known only now.
    if (!init.isAlive()) throw new Error(`process ${pid} is gone`);
    const registered = { instanceId, runNumber: ++this.#runNumbers, rootUid, namespace, init };
    this.#byNamespace.set(namespace, registered);
    this.#byInstance.set(instanceId, registered);
    return registered.runNumber;
  }

  /** Forgets an instance's run; its callers are in no instance from now on. */
  unregister(instanceId: number): void {
    const registered = this.#byInstance.get(instanceId);
    if (!registered) return;
    this.#byInstance.delete(instanceId);
    if (this.#byNamespace.get(registered.namespace) === registered) {
      this.#byNamespace.delete(registered.namespace);
    }
  }

  /** The live run that owns a PID namespace. */
  find(namespace: string): RegisteredRun | null {
    const registered = this.#byNamespace.get(namespace);
    return registered?.init.isAlive() ? registered : null;
  }

  /** The run that an instance is registered with. */
  runOf(instanceId: number): RegisteredRun | null {
    return this.#byInstance.get(instanceId) ?? null;
  }

  /** The number of an instance's run; null when it is not registered. */
  runNumberOf(instanceId: number): number | null {
    return this.#byInstance.get(instanceId)?.runNumber ?? null;
  }

  clear(): void {
    for (const instanceId of [...this.#byInstance.keys()]) this.unregister(instanceId);
  }
}

function namespaceOf(pid: number | 'self'): string {
  const fd = openSync(`/proc/${pid}/ns/pid`, 'r');
  try {
    return namespaceKey(fd);
  } finally {
    close(fd);
  }
}
