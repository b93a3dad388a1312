import { type Bench, present } from '../bench.ts';
import { interleave } from '../frame/rounds.ts';
import { churn } from '../load/loads.ts';
import { KEY_TARGET, SERVER_TARGET } from '../peers/peer.ts';

const TARGETS = { server: SERVER_TARGET, key: KEY_TARGET } as const;
const CONNECTIONS = 16;

/** b. A connection for each request. */
export async function measureChurn({ plan, peers, tools, results, say }: Bench): Promise<void> {
  const subjects = present(peers.porthole, peers.nginx, peers.nodeHttp, peers.lxd);
  for (const [name, target] of Object.entries(TARGETS) as ['server' | 'key', string][]) {
    say(`one connection per request: ${target}`);
    const ask = (peer: (typeof subjects)[number], seconds: number) =>
      churn(tools, peer, { target, connections: CONNECTIONS, seconds });
    await interleave(
      subjects,
      plan.rounds,
      async (peer) => results.add(`churn-${name}`, peer.name, await ask(peer, plan.seconds)),
      async (peer) => void (await ask(peer, plan.warmUpSeconds)),
    );
  }
}
