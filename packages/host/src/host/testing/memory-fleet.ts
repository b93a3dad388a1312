import { Agent } from 'node:http';
import { hostError } from '../../core/host-errors.ts';
import { checkMemberAddress, checkMemberName, checkRemoval } from '../../core/member-rules.ts';
import type { Member, SharedInstance } from '../../core/shared.ts';
import type { Requestor } from '../../model/events.ts';
import type { Operation } from '../../model/operation.ts';
import type { HostBackend } from '../backend.ts';
import type { FleetCases, FleetMember, MembershipCases } from '../fleet-cases.ts';
import type { HeartBackend } from './heart-backend.ts';

/** Where other members find the own one, if the operator gives no address. */
const ADDRESS = '127.0.0.1:8443';

/** A member as it has joined, changed by `part`. */
export function fleetMember(name: string, part: Partial<FleetMember> = {}): FleetMember {
  return {
    name,
    address: ADDRESS,
    fingerprint: 'ab'.repeat(32),
    version: '0.1.0',
    api: 1,
    architecture: 'x86_64',
    joinedAt: '2026-01-02T03:04:05.000Z',
    state: 'joined',
    online: true,
    ...part,
  };
}

/** A fleet whose records are in memory. The daemon of a test joins it and leaves it as operators say. */
export class MemoryFleet implements FleetCases, MembershipCases {
  own = '';
  /** Of the other members. */
  readonly instances = new Map<string, SharedInstance>();
  cutOff: string | null = null;
  told: string | null = null;
  /** Joining begins, and goes on after its first step, when these settle. */
  begun: () => Promise<void> = async () => {};
  halfway: () => Promise<void> = async () => {};
  readonly #backend: HeartBackend;
  readonly #members = new Map<string, FleetMember>();

  constructor(backend: HeartBackend, ...others: readonly FleetMember[]) {
    this.#backend = backend;
    for (const one of others) this.#members.set(one.name, one);
    backend.membership = this;
  }

  /** Makes the daemon a member at once. */
  join(name: string, address = ADDRESS): void {
    this.own = name;
    this.#members.set(name, fleetMember(name, { address }));
    this.#backend.fleet = this;
  }

  put(member: FleetMember): void {
    this.#members.set(member.name, member);
  }

  /** Adds an instance of another member. */
  add(name: string, member: string, part: Partial<SharedInstance> = {}): void {
    const { lastStartedAt: _, ...record } = this.#backend.heart.add(name);
    this.#backend.heart.model.commit([{ kind: 'delete-instance', id: record.id }]);
    this.instances.set(name, { ...record, member, ...part });
  }

  members(): readonly FleetMember[] {
    return [...this.#members.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  memberOf(instance: string): string | null {
    if (this.#backend.heart.model.hasInstance(instance)) return this.own;
    return this.instances.get(instance)?.member ?? null;
  }

  others(): Iterable<SharedInstance> {
    return this.instances.values();
  }

  placement(): string {
    return this.own;
  }

  agent(): Agent {
    return new Agent();
  }

  onChange(): () => void {
    return () => {};
  }

  async applied(): Promise<boolean> {
    return true;
  }

  imageFiles(): readonly string[] {
    return [];
  }

  cutOffSince(): string | null {
    return this.cutOff;
  }

  notice(): string | null {
    return this.told;
  }

  enable(name: string | null, address: string | null, _by: Requestor): Operation {
    const wanted = name ?? this.#backend.server.name;
    if (this.#backend.fleet) throw hostError('already-clustered', this.own);
    checkMemberName(wanted);
    checkMemberAddress(address ?? ADDRESS);
    return this.#run('Joining the fleet', async (report) => {
      await this.begun();
      report({ enable_progress: 'Records: 50%' });
      await this.halfway();
      this.join(wanted, address ?? ADDRESS);
    });
  }

  disable(_by: Requestor): Operation {
    if (!this.#backend.fleet) throw hostError('not-clustered');
    return this.#run('Leaving the fleet', async () => {
      this.#members.delete(this.own);
      this.#backend.fleet = null;
    });
  }

  remove(name: string, force: boolean, _by: Requestor): Operation {
    if (!this.#backend.fleet) throw hostError('not-clustered');
    const member: (Member & { online: boolean }) | undefined = this.#members.get(name);
    if (!member) throw hostError('member-unknown', name);
    const instances = [...this.instances.values()].filter((one) => one.member === name);
    const names = instances.map((one) => one.name);
    checkRemoval(this.own, { name, online: member.online, instances: names, force });
    return this.#run('Removing a member of the fleet', async () => {
      for (const gone of names) this.instances.delete(gone);
      this.#members.delete(name);
    });
  }

  #run(description: string, work: (report: (metadata: Record<string, unknown>) => void) => Promise<void>) {
    const operations: HostBackend['operations'] = this.#backend.operations;
    return operations.run({
      description,
      work: async ({ report }) => {
        await work(report);
        return undefined;
      },
    });
  }
}
