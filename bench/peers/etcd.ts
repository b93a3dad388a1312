import { join } from 'node:path';
import { onCore } from '../frame/cores.ts';
import { Program } from '../frame/programs.ts';
import { until } from '../frame/wait.ts';

const NODES = [1, 2, 3] as const;
const CLIENT_PORT = 2379;
const PEER_PORT = 2380;

/** Three nodes of etcd on this machine, as a fleet would have them on three hosts. */
export interface EtcdNodes extends AsyncDisposable {
  /** Their hosts and ports. */
  readonly addresses: readonly string[];
}

/**
 * Starts the nodes, and waits until they have a leader.
 * @param folder where they keep their data; on the disk that the daemons have too
 * @param network the first three numbers of addresses on the loopback that no other program uses
 */
export async function startEtcd(folder: string, network: string): Promise<EtcdNodes> {
  await using stack = new AsyncDisposableStack();
  const peers = NODES.map((each) => `etcd-${each}=http://${network}.${each}:${PEER_PORT}`);
  for (const each of NODES) {
    const program = stack.adopt(new Program(command(folder, network, each, peers)), (node) => node.stop());
    await until(`etcd ${each} has started`, () => program.pid > 0);
  }
  const addresses = NODES.map((each) => `${network}.${each}:${CLIENT_PORT}`);
  await Promise.all(
    addresses.map((address) => until(`etcd answers at ${address}`, () => isHealthy(address))),
  );
  const owned = stack.move();
  return { addresses, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function command(
  folder: string,
  network: string,
  node: number,
  peers: readonly string[],
): [string, ...string[]] {
  const [client, peer] = [CLIENT_PORT, PEER_PORT].map((port) => `http://${network}.${node}:${port}`);
  const flags = {
    name: `etcd-${node}`,
    'data-dir': join(folder, `etcd-${node}`),
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': peers.join(','),
    'log-level': 'error',
  };
  return onCore('all', [
    'etcd',
    ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
  ]);
}

/** It says so when it knows a leader. */
function isHealthy(address: string): Promise<boolean> {
  return fetch(`http://${address}/health`).then(
    (answer) => answer.ok,
    () => false,
  );
}
