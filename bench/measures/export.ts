import { type Bench, present } from '../bench.ts';
import { interleave } from '../frame/rounds.ts';
import { drain, probe } from '../load/loads.ts';
import { KEY_TARGET, type Peer } from '../peers/peer.ts';

const MANY = 8;

/** e. Fetching an image, alone and eight at once, and how long other requests take meanwhile. */
export async function measureExport({ plan, peers, tools, results, say }: Bench): Promise<void> {
  const subjects = present<Peer>(peers.porthole, peers.nginx, peers.lxd);
  const target = (peer: Peer) => peer.exportTarget as string;
  say(`export: an image of ${plan.imageMib} MiB`);
  await interleave(
    subjects,
    plan.rounds,
    async (peer) => {
      results.add('export-1', peer.name, await drain(tools, peer, target(peer), 1));
      const fetching = drain(tools, peer, target(peer), MANY);
      // A load that fails while the other one goes on is reported by the wait below.
      fetching.catch(() => {});
      const { p50Ms, p99Ms } = await probe(tools, peer, KEY_TARGET, plan.probeSeconds);
      results.add('export-8', peer.name, await fetching);
      results.add('export-latency-median', peer.name, p50Ms);
      results.add('export-latency-p99', peer.name, p99Ms);
    },
    async (peer) => void (await drain(tools, peer, target(peer), 1)),
  );
}
