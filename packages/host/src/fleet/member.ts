import { within } from '../base/within.ts';
import type { Change, State } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import type { Member, SharedChange, SharedInstance } from '../core/shared.ts';
import type { FleetCases, FleetMember } from '../host/fleet-cases.ts';
import type { SharedStore } from '../store/shared-store.ts';
import type { CutOff } from './cut-off.ts';
import type { Following } from './following.ts';
import type { MemberAgents } from './link/member-agents.ts';
import type { Mirror } from './mirror.ts';
import { usesOf } from './uploads.ts';

export interface MemberParts {
  readonly mirror: Mirror;
  readonly store: Pick<SharedStore, 'commit'>;
  readonly agents: Pick<MemberAgents, 'of'>;
  readonly cutOff: CutOff;
  /** The objects of this host. */
  readonly state: () => State;
  /** Whether this host has an instance of a name. */
  readonly has: (instance: string) => boolean;
  /** Writes changes of this host's store that follow those of the fleet. */
  readonly write: (changes: readonly Change[]) => void;
  /** Paths of an image's files here; empty if they are not here. */
  readonly imageFiles: (fingerprint: string) => readonly string[];
}

/** The fleet, as this member sees it. Everything is answered from memory. */
export class MemberFleet implements FleetCases {
  readonly #parts: MemberParts;
  following: Following | null = null;

  constructor(parts: MemberParts) {
    this.#parts = parts;
  }

  get own(): string {
    return this.#parts.mirror.fleet.member;
  }

  /** The own record. @throws fleet-not-member if another member has removed it */
  get record(): Member {
    const record = this.#parts.mirror.members.get(this.own);
    if (!record) throw hostError('fleet-not-member');
    return record;
  }

  /** Whether the fleet has the own record. */
  get isKnown(): boolean {
    return this.#parts.mirror.members.has(this.own);
  }

  /** Whether the newest record of this host says that it leaves the fleet. */
  get wasLeaving(): boolean {
    return this.#parts.mirror.lastOwn?.state === 'leaving';
  }

  /** Whether an operator takes this host out of the fleet. */
  isLeaving = false;

  cutOffSince(): string | null {
    return this.#parts.cutOff.since;
  }

  members(): readonly FleetMember[] {
    const { members } = this.#parts.mirror;
    const sorted = [...members.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
    return sorted.map((member) => ({ ...member, online: this.#isOnline(member.name) }));
  }

  memberOf(instance: string): string | null {
    // If two members have an instance of this name, each knows its own one, so that it can be renamed there.
    if (this.#parts.has(instance)) return this.own;
    return this.#parts.mirror.others.get(instance)?.member ?? null;
  }

  others(): Iterable<SharedInstance> {
    const { others, members } = this.#parts.mirror;
    return [...others.values()].filter(({ member }) => members.get(member)?.state !== 'joining');
  }

  placement(): string {
    const counts = new Map([[this.own, this.#parts.state().instances.size]]);
    for (const { name, online, state } of this.members()) {
      if (online && state === 'joined' && name !== this.own) counts.set(name, 0);
    }
    for (const { member } of this.others()) {
      const count = counts.get(member);
      if (count !== undefined) counts.set(member, count + 1);
    }
    const [fewest] = [...counts].sort(([, one], [, other]) => one - other);
    return fewest?.[0] ?? this.own;
  }

  agent(member: string) {
    const known = this.#parts.mirror.members.get(member);
    if (!known) throw hostError('member-unknown', member);
    if (!this.#isOnline(member)) throw hostError('member-offline', member, 'it has no lease');
    return this.#parts.agents.of(member);
  }

  onChange(listener: () => void): () => void {
    return this.#parts.mirror.onChange(listener);
  }

  async applied(revision: number, timeoutMs: number): Promise<boolean> {
    const { mirror } = this.#parts;
    const done = Promise.withResolvers<void>();
    const look = () => {
      if (mirror.fleet.revision >= revision) done.resolve();
    };
    const end = mirror.onChange(look);
    look();
    try {
      return await within(
        timeoutMs,
        done.promise.then(() => this.following?.adjusted),
      );
    } finally {
      end();
    }
  }

  imageFiles(fingerprint: string): readonly string[] {
    return this.holdersOf(fingerprint).has(this.own) ? this.#parts.imageFiles(fingerprint) : [];
  }

  holdersOf(fingerprint: string): ReadonlySet<string> {
    return this.#parts.mirror.holdersOf(fingerprint);
  }

  /** The names of this member's instances, without those that another member has now. */
  recordedNames(): string[] {
    const { others } = this.#parts.mirror;
    const names = [...this.#parts.state().instances.values()].map(({ name }) => name);
    return names.filter((name) => !others.has(name));
  }

  /** The records of all instances elsewhere, also those of a host that is joining. */
  recordsElsewhere(): Iterable<SharedInstance> {
    return this.#parts.mirror.others.values();
  }

  /** The images whose files a member has. */
  heldBy(member: string): string[] {
    return [...this.#parts.state().images.keys()].filter((each) => this.holdersOf(each).has(member));
  }

  /** Commits changes of the fleet that change nothing of this host. */
  commit(changes: readonly SharedChange[]): Promise<void> {
    const { store, mirror, write } = this.#parts;
    const parts = { changes, same: [], uses: usesOf(changes), unused: [] };
    return store.commit({ ...parts, based: mirror.fleet.revision, apply: write });
  }

  /** The changes that make this host a single one. It keeps what it has the files of. */
  alone(notice: string): Change[] {
    const { images, aliases } = this.#parts.state();
    const gone = new Set([...images.keys()].filter((each) => !this.holdersOf(each).has(this.own)));
    const names = [...aliases.values()].filter(({ target }) => gone.has(target)).map(({ name }) => name);
    return [
      { kind: 'leave-fleet', notice },
      ...names.map((name): Change => ({ kind: 'delete-alias', name })),
      ...[...gone].map((fingerprint): Change => ({ kind: 'delete-image', fingerprint })),
    ];
  }

  /** The own member counts as online, also while it is cut off. */
  #isOnline(name: string): boolean {
    return name === this.own || this.#parts.mirror.alive.has(name);
  }
}
