import type { Bench } from '../bench.ts';
import type { FigureKey } from '../figures.ts';
import { bind } from '../frame/cores.ts';
import { churn, keepAlive } from '../load/loads.ts';
import { KEY_TARGET, type Peer } from '../peers/peer.ts';
import type { Hosts } from './hosts.ts';

const LOAD = { target: KEY_TARGET, connections: 16 } as const;

/**
 * Slices of each host in a round, in the order A B, B A. They are short, so that what else the machine does reaches both
 * hosts alike: the two differ by less than the machine does from one second to the next.
 */
const SLICES = 8;

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

  async function rates(figure: FigureKey, load: Load): Promise<void> {
    const both = Object.entries(hosts);
    for (const [, { peer }] of both) await load(peer, plan.warmUpSeconds);
    for (let round = 0; round < plan.fleetRounds; round++) {
      const sums = new Map<string, number>();
      for (let slice = 0; slice < SLICES; slice++) {
        bench.signal.throwIfAborted();
        for (const [column, { peer }] of slice % 2 === 0 ? both : both.toReversed())
          sums.set(column, (sums.get(column) ?? 0) + (await load(peer, (2 * plan.seconds) / SLICES)));
      }
      for (const [column, sum] of sums) results.add(figure, column, sum / SLICES);
    }
  }
}
