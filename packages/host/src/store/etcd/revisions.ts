import { messageOf } from '../../base/coded-error.ts';
import type { Log } from '../../base/log.ts';
import type { SharedChange } from '../../core/shared.ts';
import type { WatchEvent } from '../../etcd/watch-types.ts';
import { fenceNumber } from './fence.ts';
import type { FleetKeys } from './fleet-keys.ts';
import { decodeRecord } from './records.ts';

/** The changes of one revision. */
export interface Revision {
  readonly changes: readonly SharedChange[];
  /** The token of this member's commit; absent if it was not this member's. */
  readonly token?: string;
  /** The number that the fence of this run has from here on; absent if it has not changed. */
  readonly fence?: number;
}

/** By key, why a record cannot be read. Members cannot change such a record; an operator has to correct it in etcd. */
export type UnreadableRecords = Map<string, string>;

/** Reads the events of etcd. */
export class RevisionReader {
  readonly #keys: FleetKeys;
  readonly #member: string;
  readonly #run: string;
  readonly #log: Log;
  readonly unreadable: UnreadableRecords = new Map();

  constructor(keys: FleetKeys, { member, run, log }: { member: string; run: string; log: Log }) {
    this.#keys = keys;
    this.#member = member;
    this.#run = run;
    this.#log = log;
  }

  read(events: readonly WatchEvent[]): Revision {
    const put = (key: string) => events.find(({ kv, type }) => kv.key === key && type === 'put')?.kv.value;
    const token = put(this.#keys.commits(this.#member));
    const fence = fenceNumber(this.#run, put(this.#keys.alive(this.#member)));
    return {
      changes: events.flatMap(({ type, kv }) => this.change(kv.key, type === 'put' ? kv.value : null)),
      ...(token !== undefined && { token }),
      ...(fence !== undefined && { fence }),
    };
  }

  /** The change of one key: none if it is not an object's, or its value is not a record. @param value null: deleted */
  change(key: string, value: string | null): readonly SharedChange[] {
    const parts = this.#keys.parse(key);
    if (!parts) return [];
    this.unreadable.delete(key);
    try {
      const change = decodeRecord(parts, value);
      return change ? [change] : [];
    } catch (error) {
      const reason = messageOf(error);
      this.unreadable.set(key, reason);
      this.#log.error({ key, reason }, 'a record of the fleet cannot be read: it is left out');
      return [];
    }
  }
}
