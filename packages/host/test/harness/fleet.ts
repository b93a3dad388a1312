import { join } from 'node:path';
import { EtcdCluster } from '../../src/etcd/testing/etcd-cluster.ts';
import { type Finished, run } from '../../src/process/run.ts';
import type { ClusterJson, MemberJson } from '../../src/wire/cluster.ts';
import type { InstanceJson } from '../../src/wire/instance.ts';
import { ask, until } from './api.ts';
import { BIN, TestDaemon } from './daemon.ts';
import { Operator } from './operator.ts';

/** Members find each other here; each fleet of a test has a network of its own. */
const MEMBER_PORT = 8443;

const NAMES_MAX = 200;

let networks = 0;

/** A daemon that is, or is to be, a member of a fleet. */
export interface TestMember {
  readonly name: string;
  readonly daemon: TestDaemon;
  readonly operator: Operator;
  /** `HOST:PORT` */
  readonly address: string;
}

/** Real etcd and real daemons on this machine, each with a state directory and an address of its own. */
export class TestFleet {
  readonly etcd: EtcdCluster;
  readonly #network = `127.${100 + (process.pid % 100)}.${++networks % NAMES_MAX}`;
  readonly #members: TestMember[] = [];

  private constructor(etcd: EtcdCluster) {
    this.etcd = etcd;
  }

  static async start(setup: Parameters<typeof EtcdCluster.start>[0] = {}): Promise<TestFleet> {
    return new TestFleet(await EtcdCluster.start(setup));
  }

  /** The settings of a host that can become a member. @param changes of them */
  flags(name: string, address: string, changes: Readonly<Record<string, string>> = {}): string[] {
    const settings = {
      'server-name': name,
      store: 'etcd',
      'etcd-endpoints': this.etcd.endpoints.join(','),
      'member-address': address,
      ...changes,
    };
    return Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, value]);
  }

  /** Starts a single host with the settings of a member. */
  async host(
    name: string,
    changes: Readonly<Record<string, string>> = {},
    under: readonly string[] = [],
  ): Promise<TestMember> {
    const address = `${this.#network}.${this.#members.length + 1}:${MEMBER_PORT}`;
    const daemon = await TestDaemon.start(this.flags(name, address, changes), under);
    const member = { name, daemon, operator: new Operator(daemon), address };
    this.#members.push(member);
    return member;
  }

  /** Starts a host and makes it a member. @param prepare makes what it has before */
  async member(name: string, prepare: (member: TestMember) => Promise<unknown> = async () => {}) {
    const member = await this.host(name);
    await prepare(member);
    await member.daemon.must('cluster', 'enable');
    return member;
  }

  /** Runs etcd's own client. */
  async etcdctl(...args: string[]): Promise<Finished> {
    const endpoints = `--endpoints=${this.etcd.endpoints.join(',')}`;
    const env = { ...(process.env as Record<string, string>), ETCDCTL_API: '3' };
    return await run('etcdctl', [endpoints, ...args], { env });
  }

  /** Makes etcd forget all history before now. */
  async compact(): Promise<void> {
    const { stdout } = await this.etcdctl('get', '/', '-w', 'json');
    const { revision } = (JSON.parse(stdout) as { header: { revision: number } }).header;
    const { ok, failure } = await this.etcdctl('compact', '--physical', String(revision));
    if (!ok) throw new Error(failure);
  }

  /** Stops a member's daemon, and tries to start it with other settings. @returns how it ended */
  async portholed(
    { name, address, daemon }: TestMember,
    changes: Readonly<Record<string, string>>,
  ): Promise<Finished> {
    await daemon.stop();
    const args = ['--state-dir', daemon.stateDir, ...this.flags(name, address, changes)];
    return await run(join(BIN, 'portholed'), args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ daemon }) => daemon.destroy()));
    await this.etcd[Symbol.asyncDispose]();
  }
}

/** Whether a daemon is a member, and under which name. */
export const clusterOf = ({ operator }: TestMember) => operator.client.get<ClusterJson>('/1.0/cluster');

/** States of all members, as one member shows them. */
export async function statesAt({ operator }: TestMember): Promise<Record<string, string>> {
  const members = await operator.client.get<MemberJson[]>('/1.0/cluster/members?recursion=1');
  return Object.fromEntries(members.map(({ server_name, status }) => [server_name, status]));
}

/** Locations of all instances, as one member shows them. */
export async function locationsAt({ operator }: TestMember): Promise<Record<string, string>> {
  const all = await operator.client.get<InstanceJson[]>('/1.0/instances?recursion=1');
  return Object.fromEntries(all.map(({ name, location }) => [name, location]));
}

/** Waits until a member shows another one in a state. */
export function shows(at: TestMember, name: string, state: string | undefined): Promise<void> {
  return until(`${at.name} shows ${name} as ${state}`, async () => (await statesAt(at))[name] === state);
}

/** What a guest gets that polls for events. */
export interface Polled {
  readonly status: number;
  readonly events: readonly { readonly type: string; readonly metadata: Record<string, unknown> }[];
  /** The position after these events. */
  readonly next: number;
}

/** Polls for events as a guest does. @param since a position, or `now` */
export async function poll(
  { daemon, operator }: TestMember,
  name: string,
  since: number | 'now',
): Promise<Polled> {
  const init = await operator.pid(name);
  const { status, body } = await ask(daemon, { init }, `/1.0/events?since=${since}&limit=100`);
  if (status !== 200) return { status, events: [], next: Number.NaN };
  return { status, ...(JSON.parse(body) as Omit<Polled, 'status'>) };
}

/** The values that a guest has been told of a key. */
export function valuesOf({ events }: Polled, key: string): unknown[] {
  return events.filter(({ metadata }) => metadata['key'] === key).map(({ metadata }) => metadata['value']);
}
