import { type Bench, present } from '../bench.ts';
import { interleave } from '../frame/rounds.ts';
import { keepAlive } from '../load/loads.ts';
import { KEY_TARGET, SERVER_TARGET } from '../peers/peer.ts';

const TARGETS = { server: SERVER_TARGET, key: KEY_TARGET } as const;
const CONNECTIONS = [1, 16, 64] as const;

/** a. GETs over connections that are kept. */
export async function measureKeepAlive(bench: Bench): Promise<void> {
  const { plan, peers, tools, results, say } = bench;
  const subjects = present(peers.porthole, peers.nginx, peers.nodeHttp, peers.lxd);
  for (const [name, target] of Object.entries(TARGETS) as ['server' | 'key', string][]) {
    for (const connections of CONNECTIONS) {
      say(`keep-alive: ${target}, ${connections} connections`);
      const ask = (peer: (typeof subjects)[number], seconds: number) =>
        keepAlive(tools, peer, { target, connections, seconds });
      await interleave(
        subjects,
        plan.rounds,
        async (peer) =>
          results.add(`keepalive-${connections}-${name}`, peer.name, await ask(peer, plan.seconds)),
        async (peer) => void (await ask(peer, plan.warmUpSeconds)),
      );
    }
  }
}
