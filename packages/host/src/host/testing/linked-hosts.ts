import type { Agent } from 'node:http';
import { hostError } from '../../core/host-errors.ts';
import { type SharedInstance, sharedPartOf } from '../../core/shared.ts';
import { LinkWorld } from '../../fleet/testing/link-world.ts';
import type { FleetCases, FleetMember } from '../fleet-cases.ts';
import { Harness } from './harness.ts';
import { fleetMember } from './memory-fleet.ts';

/** Members of one fleet in this process: whole host APIs, which speak to each other over a real link. */
export class LinkedHosts {
  readonly link: LinkWorld;
  readonly hosts = new Map<string, Harness>();
  /** Members without a lease. */
  readonly offline = new Set<string>();
  /** Where new instances go; undefined: to the member with the fewest. */
  place: string | undefined;
  readonly #listeners = new Set<() => void>();
  /** What all know of instances whose member has stopped. */
  readonly #kept = new Map<string, SharedInstance[]>();

  private constructor(link: LinkWorld) {
    this.link = link;
  }

  static async start(...names: readonly string[]): Promise<LinkedHosts> {
    const hosts = new LinkedHosts(await LinkWorld.start());
    for (const name of names) await hosts.add(name);
    return hosts;
  }

  async add(name: string): Promise<Harness> {
    const host = await Harness.start();
    const linked = await this.link.add(name);
    linked.serve = (socket, member) => host.server.serveMember(socket, member);
    host.backend.fleet = this.#casesOf(name);
    this.hosts.set(name, host);
    this.changed();
    return host;
  }

  host(name: string): Harness {
    const host = this.hosts.get(name);
    if (!host) throw new Error(`no host ${name}`);
    return host;
  }

  /** Tells all members that one is online or offline now. */
  setOnline(name: string, online: boolean): void {
    if (online) this.offline.delete(name);
    else this.offline.add(name);
    this.changed();
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Ends a member as a power cut would; the others still know its instances. */
  async kill(name: string): Promise<void> {
    this.#kept.set(name, this.#instancesOf(name));
    const host = this.host(name);
    this.hosts.delete(name);
    this.link.member(name).agents.stop();
    await this.link.member(name).server.stop();
    await host.stop();
  }

  async stop(): Promise<void> {
    for (const host of this.hosts.values()) await host.stop();
    await this.link.stop();
  }

  #instancesOf(name: string): SharedInstance[] {
    const kept = this.#kept.get(name);
    if (kept) return kept;
    const { instances } = this.host(name).backend.heart.model.state;
    return [...instances.values()].map((instance) => sharedPartOf(instance, name));
  }

  #all(): SharedInstance[] {
    return [...this.link.known.keys()].flatMap((name) => this.#instancesOf(name));
  }

  #members(): FleetMember[] {
    return [...this.link.known.values()]
      .map((known) => fleetMember(known.name, { ...known, online: !this.offline.has(known.name) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #fewest(): string {
    const counts = this.#members()
      .filter(({ online }) => online)
      .map(({ name }) => ({ name, count: this.#instancesOf(name).length }));
    return counts.sort((a, b) => a.count - b.count)[0]?.name ?? '';
  }

  #casesOf(own: string): FleetCases {
    return {
      own,
      members: () => this.#members(),
      memberOf: (instance) => this.#all().find(({ name }) => name === instance)?.member ?? null,
      others: () => this.#all().filter(({ member }) => member !== own),
      placement: () => this.place ?? this.#fewest(),
      agent: (member): Agent => {
        const agent = this.link.member(own).agents.of(member);
        if (this.offline.has(member)) throw hostError('member-offline', member, 'it has no lease');
        return agent;
      },
      onChange: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      applied: async (revision) => revision <= 7,
      imageFiles: (fingerprint) => {
        const { images } = this.host(own).backend;
        return images.list().some(({ image }) => image.fingerprint === fingerprint)
          ? images.export(fingerprint, { username: 'root', protocol: 'unix', address: '@' }).paths
          : [];
      },
      cutOffSince: () => null,
    };
  }
}
