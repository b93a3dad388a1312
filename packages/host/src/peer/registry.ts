import { openSync } from 'node:fs';
import { close } from '../native/libc.ts';
import { namespaceKey } from '../native/namespace.ts';
import { isAlive, openPidfd } from '../native/pidfd.ts';
import { isInit, rootUidOf } from './proc.ts';

/** A run of an instance, as the kernel knows it. */
export interface Registered {
  readonly instanceId: number;
  /** This run of the instance; no other has the same number while the daemon lives. */
  readonly boot: number;
  /** Host uid of uid 0 inside. */
  readonly rootUid: number;
  readonly namespace: string;
  /** Handle on the init process: while it is alive, its PID namespace's number cannot be reused. */
  readonly initPidfd: number;
}

/** Which PID namespace belongs to which running instance. */
export class Registry {
  readonly #byNamespace = new Map<string, Registered>();
  readonly #byInstance = new Map<number, Registered>();
  #boots = 0;

  /**
   * Registers a running instance by its init process.
   * @returns the number of this boot
   * @throws when the process is gone, shares our own PID namespace, or has no root
   */
  register(instanceId: number, initPid: number): number {
    this.unregister(instanceId);
    const initPidfd = openPidfd(initPid);
    try {
      const namespace = namespaceOf(initPid);
      const rootUid = rootUidOf(initPid);
      if (rootUid === null) throw new Error(`process ${initPid} has no root in its user namespace`);
      const owner = this.find(namespace);
      if (owner) throw new Error(`its PID namespace belongs to instance ${owner.instanceId}`);
      if (namespace === namespaceOf('self'))
        throw new Error(`process ${initPid} has no PID namespace of its own`);
      if (!isInit(initPid)) throw new Error(`process ${initPid} is not the first of its PID namespace`);
      // The pid was read through /proc: that it is still this process is known only now.
      if (!isAlive(initPidfd)) throw new Error(`process ${initPid} is gone`);
      const registered = { instanceId, boot: ++this.#boots, rootUid, namespace, initPidfd };
      this.#byNamespace.set(namespace, registered);
      this.#byInstance.set(instanceId, registered);
      return registered.boot;
    } catch (error) {
      close(initPidfd);
      throw error;
    }
  }

  /** Forgets an instance's run; its callers are in no instance from now on. */
  unregister(instanceId: number): void {
    const registered = this.#byInstance.get(instanceId);
    if (!registered) return;
    this.#byInstance.delete(instanceId);
    if (this.#byNamespace.get(registered.namespace) === registered) {
      this.#byNamespace.delete(registered.namespace);
    }
    close(registered.initPidfd);
  }

  /** The live run that owns a PID namespace. */
  find(namespace: string): Registered | null {
    const registered = this.#byNamespace.get(namespace);
    return registered && isAlive(registered.initPidfd) ? registered : null;
  }

  /** The boot that an instance is in; null when it is not registered. */
  bootOf(instanceId: number): number | null {
    return this.#byInstance.get(instanceId)?.boot ?? null;
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
