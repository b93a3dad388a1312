import { type Bench, present } from '../bench.ts';
import { interleave } from '../frame/rounds.ts';
import { churn } from '../load/loads.ts';
import { KEY_TARGET, type Peer, SERVER_TARGET } from '../peers/peer.ts';

const TARGETS = { key: KEY_TARGET, server: SERVER_TARGET } as const;
const CONNECTIONS = 16;

/** b. One connection for each request. */
export async function measureChurn(bench: Bench): Promise<void> {
  const { plan, tools, results, say } = bench;
  const { porthole, nginx, nginxTuned, nodeHttp, lxd } = await bench.peers();
  for (const name of plan.targets) {
    const target = TARGETS[name];
    say(`one connection per request: ${target}`);
    const ask = (peer: Peer, seconds: number) =>
      churn(tools, peer, { target, connections: CONNECTIONS, seconds });
    await interleave(
      present<Peer>(porthole, nginx, nginxTuned, nodeHttp, lxd),
      plan.rounds,
      async (peer) => results.add(`churn-${name}`, peer.name, await ask(peer, plan.seconds)),
      async (peer) => void (await ask(peer, plan.warmUpSeconds)),
    );
  }
}
