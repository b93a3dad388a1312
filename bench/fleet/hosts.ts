import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { path } from '../../packages/host/src/client/host-client.ts';
import type { ClusterJson } from '../../packages/host/src/wire/cluster.ts';
import type { Bench } from '../bench.ts';
import { bind } from '../frame/cores.ts';
import { until } from '../frame/wait.ts';
import { startEtcd } from '../peers/etcd.ts';
import { memberName, type Population, populate } from '../peers/population.ts';
import type { Portholed } from '../peers/porthole.ts';
import { Passage } from './passage.ts';

/** On the loopback; the benchmarks alone use it. */
const ETCD_NETWORK = '127.91.17';

/** The profile that only the first instance of each host uses. */
export const SHARED_PROFILE = 'fleet-some';

/** One daemon of part f, with its instances. */
export interface Host extends Population {
  readonly name: string;
}

/** A fleet of three members, and a single host with as many instances as each of them. */
export interface Hosts {
  readonly single: Host;
  readonly members: readonly [Host, Host, Host];
  readonly etcd: readonly string[];
  /** Between the third member and each node of etcd. */
  readonly passages: readonly Passage[];
  /** Starts a further host, which is not a member yet. */
  readonly further: (name: string, size: number) => Promise<Host>;
}

/** Starts all of it; it ends with the stack. */
export async function startHosts(
  bench: Bench,
  checkout: string,
  stack: AsyncDisposableStack,
): Promise<Hosts> {
  const { plan, say } = bench;
  const folder = join(bench.folder, 'fleet');
  await mkdir(folder);
  say('fleet: three nodes of etcd');
  const etcd = stack.use(await startEtcd(folder, ETCD_NETWORK));
  const passages: Passage[] = [];
  for (const address of etcd.addresses) passages.push(stack.use(await Passage.open(address)));
  const start = async (name: string, size: number, flags: readonly string[]): Promise<Host> => {
    say(`fleet: ${name}, with ${size} instances`);
    const options = { checkout, watched: true, prefix: name, flags: ['--server-name', name, ...flags] };
    const population = stack.use(await populate({ ...bench, folder }, size, options));
    await bind(population.daemon.pid, 'all');
    return { ...population, name };
  };
  const further = async (name: string, size: number, by = etcd.addresses) =>
    start(name, size, await memberFlags(by));
  const single = await start('single', plan.fleetInstances, []);
  await shareProfile(single);
  const members = [
    await further('ma', plan.fleetInstances),
    await further('mb', plan.fleetInstances),
    await further(
      'mc',
      plan.fleetInstances,
      passages.map(({ address }) => address),
    ),
  ] as const;
  say('fleet: they join');
  for (const { daemon } of members) await becomes(daemon, true);
  await members[0].daemon.client.change('POST', '/1.0/profiles', { json: { name: SHARED_PROFILE } });
  for (const host of members) await useProfile(host);
  return { single, members: [...members], etcd: etcd.addresses, passages, further };
}

async function memberFlags(addresses: readonly string[]): Promise<string[]> {
  const endpoints = addresses.map((address) => `http://${address}`).join();
  const address = `127.0.0.1:${await freePort()}`;
  return ['--store', 'etcd', '--etcd-endpoints', endpoints, '--member-address', address];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function shareProfile(host: Host): Promise<void> {
  await host.daemon.client.change('POST', '/1.0/profiles', { json: { name: SHARED_PROFILE } });
  await useProfile(host);
}

async function useProfile({ daemon, name }: Host): Promise<void> {
  const json = { profiles: ['default', SHARED_PROFILE] };
  await daemon.client.change('PATCH', path`/1.0/instances/${memberName(0, name)}`, { json });
}

/** Has a daemon join the fleet, or leave it, and waits until it has restarted as that. */
export async function becomes({ client }: Portholed, member: boolean): Promise<void> {
  let failure: unknown;
  // It may restart before it has told the end of the operation.
  await client
    .change(member ? 'POST' : 'DELETE', '/1.0/cluster', member ? { json: {} } : {})
    .catch((error) => {
      failure = error;
    });
  await until(member ? 'a host is a member' : 'a member is a single host', async () => {
    if (failure && !isCut(failure)) throw failure;
    const cluster = await client.get<ClusterJson>('/1.0/cluster').catch(() => undefined);
    return cluster?.enabled === member;
  });
}

/** Whether a request failed because the daemon restarted. */
function isCut(error: unknown): boolean {
  const { name, status } = error as { name?: string; status?: number };
  return name === 'ConnectionError' || status === 404;
}
