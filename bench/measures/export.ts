import { type Bench, present } from '../bench.ts';
import { interleave } from '../frame/rounds.ts';
import { drain, probe } from '../load/loads.ts';
import { KEY_TARGET, type Peer } from '../peers/peer.ts';

const MANY = 8;

/** e. Rate of image downloads, one and eight at a time, and the latency of other requests meanwhile. */
export async function measureExport(bench: Bench): Promise<void> {
  const { plan, tools, results, say } = bench;
  const { porthole, nginx, nginxTuned, lxd } = await bench.peers();
  const fetch = (peer: Peer, connections: number) =>
    drain(tools, peer, peer.exportTarget as string, connections);
  say(`export: an image of ${plan.imageMib} MiB`);
  await interleave(
    present<Peer>(porthole, nginx, nginxTuned, lxd),
    plan.rounds,
    async (peer) => {
      results.add('export-1', peer.name, await fetch(peer, 1));
      const [rate, { p50Ms, p99Ms }] = await Promise.all([
        fetch(peer, MANY),
        probe(tools, peer, KEY_TARGET, plan.probeSeconds),
      ]);
      results.add('export-8', peer.name, rate);
      results.add('export-latency-median', peer.name, p50Ms);
      results.add('export-latency-p99', peer.name, p99Ms);
    },
    async (peer) => void (await fetch(peer, 1)),
  );
}
