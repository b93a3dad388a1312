import { type Bench, present } from '../bench.ts';
import { bind } from '../frame/cores.ts';
import { interleave } from '../frame/rounds.ts';
import { launch, remove } from '../peers/container.ts';
import type { ContainerPeer } from '../peers/peer.ts';

/** h. How long a launch and a delete of a small container take, on all cores. */
export async function measureLaunch({ plan, peers, results, say }: Bench): Promise<void> {
  say('launch and delete');
  const subjects = present<ContainerPeer>(peers.porthole, peers.lxd);
  for (const peer of subjects) await bind(peer.pid, 'all');
  await interleave(
    subjects,
    plan.rounds,
    async (peer) => {
      results.add('launch', peer.name, await timed(() => launch(peer.client, 'short-lived')));
      results.add('delete', peer.name, await timed(() => remove(peer.client, 'short-lived')));
    },
    async (peer) => {
      await launch(peer.client, 'short-lived');
      await remove(peer.client, 'short-lived');
    },
  );
  for (const peer of subjects) await bind(peer.pid, 'server');
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
