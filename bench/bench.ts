import type { Results } from './frame/results.ts';
import type { LoadTools } from './load/load-tools.ts';
import type { ContainerPeer, Peer } from './peers/peer.ts';
import type { Population } from './peers/population.ts';
import type { Plan } from './plan.ts';

/** The input of every measurement. */
export interface Bench {
  readonly plan: Plan;
  readonly results: Results;
  /** The folder that the benchmarks write to; removed at the end. */
  readonly folder: string;
  readonly tools: LoadTools;
  /** The servers to compare; the first call starts them. */
  readonly peers: () => Promise<Peers>;
  /** A daemon with `size` running instances; the first call for a size starts it. */
  readonly population: (size: number) => Promise<Population>;
  /** Reports progress. @throws when the benchmarks have been interrupted */
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** The running servers. `lxd` and `lxdBtrfs` are undefined when LXD is not installed or does not start. */
export interface Peers {
  readonly porthole: ContainerPeer;
  readonly nginx: Peer;
  readonly nginxTuned: Peer;
  readonly nodeHttp: Peer;
  readonly lxd: ContainerPeer | undefined;
  /** The same with a pool on btrfs, where a root is a snapshot of its image. */
  readonly lxdBtrfs: ContainerPeer | undefined;
}

/** The peers that are not undefined. */
export function present<T>(...peers: readonly (T | undefined)[]): T[] {
  return peers.filter((peer) => peer !== undefined);
}
