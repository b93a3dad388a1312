import { path } from '../../packages/host/src/client/host-client.ts';
import type { Bench } from '../bench.ts';
import { interleave } from '../frame/rounds.ts';
import { percentile } from '../frame/stats.ts';
import { Listener } from '../load/listener.ts';
import { memberName } from '../peers/population.ts';
import { etcdTimes } from './etcd-alone.ts';
import { type Host, type Hosts, SHARED_PROFILE } from './hosts.ts';

/** Two keys: an instance's own key hides that of its profile. */
const KEYS = { instance: 'user.fleet-own', profile: 'user.fleet-shared' } as const;
const NS_PER_MS = 1e6;

interface Times {
  /** From the operator's request to the event in an instance, ms. */
  readonly event: number[];
  /** From the request to the operator's answer, ms. */
  readonly answer: number[];
}

/** What is changed. */
interface Target {
  readonly path: string;
  readonly key: string;
}

/** Where a change is made, and where its event arrives. */
interface Way {
  readonly column: 'single' | 'fleet';
  readonly from: Host;
  readonly to: Host;
}

/** Time to the event, of a key and of a profile's key: at one host, over two members, and etcd's share of it. */
export async function measureChanges(bench: Bench, { single, members, etcd }: Hosts): Promise<void> {
  const { plan, results, say } = bench;
  const [ma, mb] = members;
  const ways: readonly Way[] = [
    { column: 'single', from: single, to: single },
    { column: 'fleet', from: ma, to: mb },
  ];
  say('fleet: changes at one member, events at another');
  await interleave<Way | null>(
    [...ways, null],
    plan.fleetRounds,
    async (way) => {
      bench.signal.throwIfAborted();
      if (!way) return addEtcd(await etcdTimes(etcd, plan.fleetChanges));
      await addWay(way);
    },
    async (way) => {
      if (!way) return;
      for (const target of [firstOf(way.to), PROFILE]) await times(bench, way, target, plan.fleetChanges);
    },
  );

  function addEtcd(took: readonly number[]): void {
    results.add('fleet-etcd-median', 'etcd', percentile(took, 50));
    results.add('fleet-etcd-p99', 'etcd', percentile(took, 99));
  }

  async function addWay(way: Way): Promise<void> {
    const { column, to } = way;
    const key = await times(bench, way, firstOf(to), plan.fleetChanges);
    results.add('fleet-key-median', column, percentile(key.event, 50));
    results.add('fleet-key-p99', column, percentile(key.event, 99));
    const profile = await times(bench, way, PROFILE, plan.fleetChanges);
    results.add('fleet-profile-median', column, percentile(profile.event, 50));
    results.add('fleet-profile-p99', column, percentile(profile.event, 99));
    results.add('fleet-profile-answer', column, percentile(profile.answer, 50));
  }
}

const PROFILE: Target = { path: path`/1.0/profiles/${SHARED_PROFILE}`, key: KEYS.profile };

/** The first instance of a host, whose program listens. */
function firstOf({ name }: Host): Target {
  return { path: path`/1.0/instances/${memberName(0, name)}`, key: KEYS.instance };
}

async function times({ tools, signal }: Bench, way: Way, target: Target, changes: number): Promise<Times> {
  using listener = await Listener.open(tools, way.to.peer);
  const all: Times = { event: [], answer: [] };
  for (let change = 0; change < changes; change++) {
    signal.throwIfAborted();
    const before = process.hrtime.bigint();
    const json = { config: { [target.key]: `${before}` } };
    await way.from.daemon.client.change('PATCH', target.path, { json });
    all.answer.push(Number(process.hrtime.bigint() - before) / NS_PER_MS);
    all.event.push(Number((await listener.next()) - before) / NS_PER_MS);
  }
  return all;
}
