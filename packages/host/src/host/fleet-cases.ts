import type { Agent } from 'node:http';
import type { Member, SharedInstance } from '../core/shared.ts';
import type { Requestor } from '../model/events.ts';
import type { Operation } from '../model/operation.ts';

/** A member of the fleet, as this member sees it now. */
export interface FleetMember extends Member {
  /** It holds a valid lease. Always true for the own member, also while it is cut off. */
  readonly online: boolean;
}

/**
 * The functions of the fleet that the host API uses. All of them but `applied` answer at once, from memory. A daemon that
 * is no member has null instead.
 */
export interface FleetCases {
  /** The name of the own member. */
  readonly own: string;
  /** All members, the own one too, sorted by name. */
  members(): readonly FleetMember[];
  /** The member on which an instance lives, also if it is the own one; null if no member has such an instance. */
  memberOf(instance: string): string | null;
  /** The instances of all other members that have joined, also of those that are offline. */
  others(): Iterable<SharedInstance>;
  /** The member for a new instance: of those that are online, the one with the fewest instances. */
  placement(): string;
  /**
   * Connections to another member, kept between requests. Errors of a request through it are CodedErrors of
   * `core/host-errors.ts`: member-offline, member-refused.
   * @throws member-unknown, and member-offline for a member without a lease
   */
  agent(member: string): Agent;
  /** Calls back when a member has come, gone, or is online or offline now; returns a function that ends this. */
  onChange(listener: () => void): () => void;
  /**
   * Settles when the changes up to a revision are applied here: a member that made one asks for it.
   * @returns false if the time was over first
   */
  applied(revision: number, timeoutMs: number): Promise<boolean>;
  /** Paths of an image's files here, metadata first when split; empty if they are not here. Publishes no event. */
  imageFiles(fingerprint: string): readonly string[];
  /** Since when the own member has no valid lease, RFC 3339; null while it has one. */
  cutOffSince(): string | null;
}

/**
 * How a host becomes a member of a fleet, and how members leave it. Every daemon has these functions. What can be
 * checked at once is checked at once; the rest of the work is the operation's.
 */
export interface MembershipCases {
  /**
   * What operators have to know: why this host is a single host, or that another member has an instance with the name of
   * one here. Null if there is nothing to tell.
   */
  notice(): string | null;
  /**
   * Makes this single host a member; its instances stay. When the operation has succeeded, the daemon restarts in place
   * as a member.
   * @param name of the member; null: the name of the host
   * @param address where other members find it, `HOST:PORT`; null: that of the settings
   * @throws membership-busy, already-clustered, no-shared-store, member-name-invalid, member-address-invalid
   */
  enable(name: string | null, address: string | null, by: Requestor): Operation;
  /**
   * Makes this member a single host. It keeps its instances, copies of all profiles, and the images whose files it has,
   * with their aliases. Its records leave the fleet. When the operation has succeeded, the daemon restarts in place.
   * @throws membership-busy, not-clustered
   */
  disable(by: Requestor): Operation;
  /**
   * Removes another member, which is offline, with the records of its instances: their names are free again. If it comes
   * back, it finds that it was removed. It keeps its instances as a single host, and says so.
   * @param force also if it has instances
   * @throws membership-busy, not-clustered, member-unknown, and what `core/member-rules.ts` refuses
   */
  remove(name: string, force: boolean, by: Requestor): Operation;
}
