import { type Bench, present } from '../bench.ts';
import { interleave } from '../frame/rounds.ts';
import { percentile } from '../frame/stats.ts';
import { Listener } from '../load/listener.ts';
import { timeToEvent } from '../peers/changes.ts';
import type { ContainerPeer } from '../peers/peer.ts';

/** d. Time from the operator's request to the event in a container. Only this container listens. */
export async function measureEvents(bench: Bench): Promise<void> {
  const { plan, results, say } = bench;
  const { porthole, lxd } = await bench.peers();
  say('events: one listener');
  await interleave(
    present<ContainerPeer>(porthole, lxd),
    plan.rounds,
    async (peer) => {
      const took = await eventTimes(bench, peer, plan.changes);
      results.add('event-median', peer.name, percentile(took, 50));
      results.add('event-p99', peer.name, percentile(took, 99));
    },
    async (peer) => void (await eventTimes(bench, peer, WARM_UP_CHANGES)),
  );
}

const WARM_UP_CHANGES = 10;

async function eventTimes({ tools, signal }: Bench, peer: ContainerPeer, changes: number): Promise<number[]> {
  using listener = await Listener.open(tools, peer);
  const took: number[] = [];
  for (let change = 0; change < changes; change++) {
    signal.throwIfAborted();
    took.push(await timeToEvent(peer.client, peer.instance, () => listener.next()));
  }
  return took;
}
