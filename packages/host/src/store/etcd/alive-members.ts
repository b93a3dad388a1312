import { setTimeout as sleep } from 'node:timers/promises';
import type { Etcd } from '../../etcd/client.ts';
import type { WatchEnd, WatchEvent } from '../../etcd/watch-types.ts';
import type { FleetKeys } from './fleet-keys.ts';

/** Pause before etcd is asked again. */
const PAUSE_MS = 500;

/**
 * The members that have a lease, as etcd says. While etcd does not answer, they stay as they were: this member is cut
 * off then, and cannot tell who else is.
 */
export class AliveMembers {
  readonly #etcd: Etcd;
  readonly #keys: FleetKeys;
  readonly #changed: () => void;
  readonly #end = new AbortController();
  #names = new Set<string>();

  /** @param changed called after each change; must not throw */
  constructor(etcd: Etcd, keys: FleetKeys, changed: () => void) {
    this.#etcd = etcd;
    this.#keys = keys;
    this.#changed = changed;
    void this.#run();
  }

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  stop(): void {
    this.#end.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      // What etcd has refused is tried again, like what it has not answered.
      await this.#watchOnce().catch(() => {});
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #watchOnce(): Promise<void> {
    const { signal } = this.#end;
    const prefix = this.#keys.folder('alive');
    const { kvs, revision } = await this.#etcd.range({ prefix, keysOnly: true }, { signal });
    this.#set(new Set(kvs.map(({ key }) => key.slice(prefix.length))));
    const ended = Promise.withResolvers<WatchEnd>();
    await this.#etcd.watch({
      ...{ prefix, startRevision: revision + 1, signal },
      onEvents: (events) => this.#take(events, prefix),
      onEnd: ended.resolve,
    });
    await ended.promise;
  }

  #take(events: readonly WatchEvent[], prefix: string): void {
    const names = new Set(this.#names);
    for (const { type, kv } of events) {
      const name = kv.key.slice(prefix.length);
      if (type === 'put') names.add(name);
      else names.delete(name);
    }
    this.#set(names);
  }

  #set(names: Set<string>): void {
    if (this.#end.signal.aborted || names.symmetricDifference(this.#names).size === 0) return;
    this.#names = names;
    this.#changed();
  }
}
