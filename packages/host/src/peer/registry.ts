import { openSync } from 'node:fs';
import { close } from '../native/libc.ts';
import { namespaceKey } from '../native/namespace.ts';
import type { PinnedProcess } from '../native/pinned-process.ts';
import { isInit, rootUidOf } from './proc.ts';

/** The init process of a run, held so that no other process can be mistaken for it. */
export type HeldInit = Pick<PinnedProcess, 'pid' | 'isAlive'>;

/** A run of an instance, as the kernel knows it. */
export interface RegisteredRun {
  readonly instanceId: number;
  /** The run number; no other run has the same while the daemon lives. */
  readonly runNumber: number;
  /** The host uid of uid 0 inside. */
  readonly rootUid: number;
  readonly namespace: string;
  /** While init is alive, the number of its PID namespace cannot be reused. */
  readonly init: HeldInit;
}

const HOST_NAMESPACE =
  'it is in the PID namespace of the host, so the daemon cannot distinguish its processes from others: start it ' +
  'with a PID namespace of its own, without --pid=host';

/** The PID namespace of a process belongs to another instance already, as in a pod. */
class SharedNamespace extends Error {
  readonly instanceId: number;

  constructor(instanceId: number) {
    super(`its PID namespace belongs to instance ${instanceId}`);
    this.instanceId = instanceId;
  }
}

/** The running instances by PID namespace. */
export class Registry {
  readonly #byNamespace = new Map<string, RegisteredRun>();
  readonly #byInstance = new Map<number, RegisteredRun>();
  #runNumbers = 0;

  /**
   * Registers a running instance by its init process; its runtime releases the process later.
   * @returns the run number
   * @throws when the process is gone, is not an init, shares the PID namespace of the daemon or another
   * instance, or has no root
   */
  register(instanceId: number, init: HeldInit): number {
    this.unregister(instanceId);
    const { pid } = init;
    const namespace = namespaceOf(pid);
    const rootUid = rootUidOf(pid);
    if (rootUid === null) throw new Error(`process ${pid} has no root in its user namespace`);
    const owner = this.find(namespace);
    if (owner) throw new SharedNamespace(owner.instanceId);
    if (namespace === namespaceOf('self')) throw new Error(HOST_NAMESPACE);
    if (!isInit(pid)) throw new Error(`process ${pid} is not the first of its PID namespace`);
    // The facts were read by pid, through /proc. They belong to this process only if it is still alive now.
    if (!init.isAlive()) throw new Error(`process ${pid} is gone`);
    const registered = { instanceId, runNumber: ++this.#runNumbers, rootUid, namespace, init };
    this.#byNamespace.set(namespace, registered);
    this.#byInstance.set(instanceId, registered);
    return registered.runNumber;
  }

  /** Forgets an instance's run; its callers are then in no instance. */
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

  /** The registered run of an instance. */
  runOf(instanceId: number): RegisteredRun | null {
    return this.#byInstance.get(instanceId) ?? null;
  }

  /** The run number of an instance; null when it is not registered. */
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
