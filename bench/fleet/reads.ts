import type { Bench } from '../bench.ts';
import type { FigureKey } from '../figures.ts';
import { bind } from '../frame/cores.ts';
import { interleave } from '../frame/rounds.ts';
import { churn, keepAlive } from '../load/loads.ts';
import { KEY_TARGET, type Peer } from '../peers/peer.ts';
import type { Host, Hosts } from './hosts.ts';

const LOAD = { target: KEY_TARGET, connections: 16 } as const;

type Load = (peer: Peer, seconds: number) => Promise<number>;

/** What instances of a member read, beside those of the single host: both with all others running. */
export async function measureReads(bench: Bench, { single, members }: Hosts): Promise<void> {
  const { plan, tools, results, say } = bench;
  const hosts = { single, fleet: members[0] };
  for (const { daemon } of Object.values(hosts)) await bind(daemon.pid, 'server');
  say('fleet: reads of instances, keep-alive');
  await rates('fleet-keepalive', (peer, seconds) => keepAlive(tools, peer, { ...LOAD, seconds }));
  say('fleet: reads of instances, one connection per request');
  await rates('fleet-churn', (peer, seconds) => churn(tools, peer, { ...LOAD, seconds }));
  for (const { daemon } of Object.values(hosts)) await bind(daemon.pid, 'all');

  function rates(figure: FigureKey, load: Load): Promise<void> {
    return interleave<[string, Host]>(
      Object.entries(hosts),
      plan.fleetRounds,
      async ([column, { peer }]) => results.add(figure, column, await load(peer, plan.seconds)),
      async ([, { peer }]) => void (await load(peer, plan.warmUpSeconds)),
    );
  }
}
