import { type Bench, present } from '../bench.ts';
import { interleave } from '../frame/rounds.ts';
import { keepAlive } from '../load/loads.ts';
import { KEY_TARGET, type Peer, SERVER_TARGET } from '../peers/peer.ts';

const TARGETS = { key: KEY_TARGET, server: SERVER_TARGET } as const;

/** a. GETs over kept connections. */
export async function measureKeepAlive(bench: Bench): Promise<void> {
  const { plan, tools, results, say } = bench;
  const { porthole, nginx, nginxTuned, nodeHttp, lxd } = await bench.peers();
  for (const name of plan.targets) {
    for (const connections of plan.connections) {
      const target = TARGETS[name];
      say(`keep-alive: ${target}, ${connections} connections`);
      const ask = (peer: Peer, seconds: number) => keepAlive(tools, peer, { target, connections, seconds });
      await interleave(
        present<Peer>(porthole, nginx, nginxTuned, nodeHttp, lxd),
        plan.rounds,
        async (peer) =>
          results.add(`keepalive-${connections}-${name}`, peer.name, await ask(peer, plan.seconds)),
        async (peer) => void (await ask(peer, plan.warmUpSeconds)),
      );
    }
  }
}
