import type { Caller } from '../../core/caller.ts';
import type { Init } from '../../runtimes/contract/runtime.ts';
import type { GuestConnections, Identity } from '../needs.ts';

/** Identifies callers in registered instances. A descriptor's number is the id of the caller's instance. */
export class FakeIdentity implements Identity {
  /** The run number of each registered instance, by its id. */
  readonly known = new Map<number, number>();
  /** Thrown at each registration. */
  trouble: Error | null = null;
  /** Instances that cannot be registered. */
  readonly troubleOf = new Set<number>();
  #runNumbers = 0;

  register(instanceId: number, _init: Init): number {
    if (this.trouble) throw this.trouble;
    if (this.troubleOf.has(instanceId)) throw new Error('process is gone');
    this.known.set(instanceId, ++this.#runNumbers);
    return this.#runNumbers;
  }

  unregister(instanceId: number): void {
    this.known.delete(instanceId);
  }

  identify(fd: number): Caller {
    const runNumber = this.known.get(fd);
    return runNumber === undefined
      ? { kind: 'no-instance' }
      : { kind: 'instance', instanceId: fd, runNumber };
  }
}

/** Numbers of connections of instances, set by tests. */
export class FakeConnections implements GuestConnections {
  readonly open = new Map<number, number>();

  closeInstance(instanceId: number): number {
    const count = this.open.get(instanceId) ?? 0;
    this.open.delete(instanceId);
    return count;
  }
}
