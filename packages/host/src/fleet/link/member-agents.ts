import { hostError } from '../../core/host-errors.ts';
import type { Identity } from './identity.ts';
import { MemberAgent } from './member-agent.ts';
import type { Peer } from './member-connections.ts';

/** The connections to all other members. */
export class MemberAgents {
  readonly #identity: Identity;
  readonly #peerOf: (member: string) => Peer | undefined;
  readonly #hasLease: (member: string) => boolean;
  readonly #agents = new Map<string, MemberAgent>();

  /**
   * @param peerOf what the fleet knows of a member now; undefined if there is no such member
   * @param hasLease whether a member is known to have a lease now
   */
  constructor(
    identity: Identity,
    peerOf: (member: string) => Peer | undefined,
    hasLease: (member: string) => boolean,
  ) {
    this.#identity = identity;
    this.#peerOf = peerOf;
    this.#hasLease = hasLease;
  }

  /** The connections to a member. @throws member-unknown */
  of(member: string): MemberAgent {
    const peer = this.#peerOf(member);
    const there = this.#agents.get(member);
    if (!peer || !there?.fits(peer)) this.#drop(member);
    if (!peer) throw hostError('member-unknown', member);
    const agent = this.#agents.get(member) ?? new MemberAgent(peer, this.#identity);
    this.#agents.set(member, agent);
    this.#doubt(member, agent);
    return agent;
  }

  /**
   * Ends the connections to members that have left, or have another address or certificate, and to those without a lease
   * from which nothing comes. To be called when the known members, or their leases, have changed.
   */
  recheck(): void {
    for (const [member, agent] of this.#agents) {
      const peer = this.#peerOf(member);
      if (peer && agent.fits(peer)) this.#doubt(member, agent);
      else this.#drop(member);
    }
  }

  /** Ends all connections. */
  stop(): void {
    for (const member of this.#agents.keys()) this.#drop(member);
  }

  #doubt(member: string, agent: MemberAgent): void {
    const hasLease = () => this.#hasLease(member);
    if (!hasLease()) void agent.doubt(hasLease);
  }

  #drop(member: string): void {
    this.#agents.get(member)?.close();
    this.#agents.delete(member);
  }
}
