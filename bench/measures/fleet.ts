import { resolve } from 'node:path';
import type { Bench } from '../bench.ts';
import { measureChanges } from '../fleet/changes.ts';
import { measureEdit } from '../fleet/edit.ts';
import { type Hosts, startHosts } from '../fleet/hosts.ts';
import { measureJoining } from '../fleet/joining.ts';
import { measurePartition } from '../fleet/partition.ts';
import { measureReads } from '../fleet/reads.ts';
import { untilAtRest } from '../frame/at-rest.ts';
import { interleave } from '../frame/rounds.ts';
import { buildForm } from '../peers/built.ts';
import { CHECKOUT } from '../peers/porthole.ts';

const KIB_PER_MIB = 1024;
const MEMORY_ROUNDS = 3;

/** f. Three members of a fleet on three nodes of etcd, beside a single host, all on this machine. */
export async function measureFleet(bench: Bench): Promise<void> {
  const { plan } = bench;
  // Users run the built form; another checkout is taken as it is.
  const checkout =
    plan.checkout === resolve(CHECKOUT) ? await buildForm(bench, 'fleet-built') : plan.checkout;
  await using stack = new AsyncDisposableStack();
  const hosts = await startHosts(bench, checkout, stack);
  await measureChanges(bench, hosts);
  await measureReads(bench, hosts);
  // Before the profile of all is changed: a host with another one cannot join.
  await measureJoining(bench, hosts);
  await measureEdit(bench, hosts);
  await measurePartition(bench, hosts);
  await measureMemory(bench, hosts);
}

/** Resident memory after a start and a garbage collection, with the same number of instances. */
async function measureMemory({ results, say }: Bench, { single, members }: Hosts): Promise<void> {
  say('fleet: memory');
  const hosts = Object.entries({ single, fleet: members[0] });
  await interleave(hosts, MEMORY_ROUNDS, async ([column, { daemon }]) => {
    await daemon.stop();
    await daemon.start({ cores: 'all', collectable: true });
    await untilAtRest(daemon.pid);
    await daemon.collectGarbage();
    results.add('fleet-memory', column, daemon.residentKib() / KIB_PER_MIB);
  });
}
