import { silentLog } from '../../../base/log.ts';
import { type Etcd, type EtcdOptions, openEtcd } from '../../../etcd/client.ts';
import { Replica } from '../../testing/replica.ts';
import { sampleMember } from '../../testing/samples.ts';
import { EtcdShared } from '../etcd-shared.ts';
import { FleetKeys } from '../fleet-keys.ts';
import { Lease } from '../lease.ts';

let runs = 0;

/** A member of a fleet: a replica with a lease. */
export class FleetMember {
  readonly name: string;
  readonly etcd: Etcd;
  readonly keys: FleetKeys;
  readonly lease: Lease;
  readonly store: EtcdShared;
  readonly replica: Replica;
  /** Whether it believes to have its lease, as it was told. */
  readonly told: boolean[] = [];
  #watchers = new Set<() => void>();

  private constructor(name: string, prefix: string, options: EtcdOptions) {
    this.name = name;
    this.etcd = openEtcd(options);
    this.keys = new FleetKeys(prefix);
    this.lease = new Lease({
      ...{ etcd: this.etcd, keys: this.keys, member: name, run: `run${++runs}`, log: silentLog },
      changed: (isAlive) => {
        this.told.push(isAlive);
        for (const watcher of [...this.#watchers]) watcher();
      },
    });
    const { etcd, keys, lease } = this;
    this.store = new EtcdShared({ etcd, keys, member: name, keeper: lease, log: silentLog });
    this.replica = new Replica(this.store);
  }

  /** Makes its record, unless it is there, waits for its lease, loads and follows. */
  static async join(name: string, prefix: string, options: EtcdOptions): Promise<FleetMember> {
    const member = new FleetMember(name, prefix, options);
    const { name: _, ...record } = sampleMember(name);
    const key = member.keys.member(name);
    await member.etcd.txn({
      compare: [{ key, is: '=', version: 0 }],
      success: [{ put: { key, value: JSON.stringify(record) } }],
    });
    await member.alive();
    await member.replica.start();
    return member;
  }

  /** Resolves when it has its lease, or has lost it. */
  async alive(isAlive = true): Promise<void> {
    while ((this.lease.fence() !== null) !== isAlive)
      await new Promise<void>((resolve) => {
        const watcher = () => {
          this.#watchers.delete(watcher);
          resolve();
        };
        this.#watchers.add(watcher);
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.replica.stop();
    await this.lease.stop();
    this.etcd.close();
  }
}
