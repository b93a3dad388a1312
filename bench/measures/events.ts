import { path } from '../../packages/host/src/client/host-client.ts';
import { type Bench, present } from '../bench.ts';
import { interleave } from '../frame/rounds.ts';
import { percentile } from '../frame/stats.ts';
import { Listener } from '../load/listener.ts';
import type { ContainerPeer } from '../peers/peer.ts';

const KEY = 'user.bench-event';
const NS_PER_MS = 1e6;

/** d. From the operator's request to the event in the instance, in containers that one listener is in. */
export async function measureEvents({ plan, peers, tools, results, say, signal }: Bench): Promise<void> {
  say('events: one listener');
  const subjects = present<ContainerPeer>(peers.porthole, peers.lxd);
  await interleave(
    subjects,
    plan.rounds,
    async (peer) => {
      const took = await rounds(peer, plan.changes);
      results.add('event-median', peer.name, percentile(took, 50));
      results.add('event-p99', peer.name, percentile(took, 99));
    },
    async (peer) => void (await rounds(peer, Math.ceil(plan.changes / 4))),
  );

  async function rounds(peer: ContainerPeer, changes: number): Promise<number[]> {
    using listener = await Listener.open(tools, peer);
    const took: number[] = [];
    for (let change = 0; change < changes; change++) {
      signal.throwIfAborted();
      const before = process.hrtime.bigint();
      await setKey(peer, `${before}`);
      took.push(Number((await listener.next()) - before) / NS_PER_MS);
    }
    return took;
  }
}

/** Gives the instance's key a new value. */
function setKey({ client, instance }: ContainerPeer, value: string) {
  return client.change('PATCH', path`/1.0/instances/${instance}`, { json: { config: { [KEY]: value } } });
}
