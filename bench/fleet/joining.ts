import type { Bench } from '../bench.ts';
import { worstDelays } from './edit.ts';
import { becomes, type Hosts } from './hosts.ts';

const MS_PER_S = 1000;

/** A further host with thousands of instances joins the fleet, and leaves it again. */
export async function measureJoining(bench: Bench, { members, further }: Hosts): Promise<void> {
  const { plan, results, say } = bench;
  const { daemon, size } = await further('md', plan.joinInstances);
  const column = String(size);
  say('fleet: it joins');
  await worstDelays(members);
  const own = daemon.delaysUntilRestart();
  own.catch(() => {});
  const started = performance.now();
  await becomes(daemon, true);
  results.add('fleet-join', column, (performance.now() - started) / MS_PER_S);
  const { p99, most } = await own;
  results.add('fleet-join-p99', column, p99);
  results.add('fleet-join-most', column, most);
  const others = await worstDelays(members);
  results.add('fleet-join-others-p99', column, others.p99);
  results.add('fleet-join-others-most', column, others.most);
  say('fleet: it leaves');
  await becomes(daemon, false);
}
