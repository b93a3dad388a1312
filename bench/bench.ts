import type { Results } from './frame/results.ts';
import type { LoadTools } from './load/load-tools.ts';
import type { ContainerPeer, Peer } from './peers/peer.ts';
import type { Population } from './peers/population.ts';
import type { Plan } from './plan.ts';

/** What every measurement gets. */
export interface Bench {
  readonly plan: Plan;
  readonly results: Results;
  /** Where everything is that the benchmarks write; gone in the end. */
  readonly folder: string;
  readonly tools: LoadTools;
  /** The servers to compare; started by whoever asks first. */
  readonly peers: () => Promise<Peers>;
  /** A daemon with so many running instances; started by whoever asks first. */
  readonly population: (size: number) => Promise<Population>;
  /** Tells how far it is. @throws when the benchmarks have been interrupted */
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** The servers, all of them running; those that are not there are left out. */
export interface Peers {
  readonly porthole: ContainerPeer;
  readonly nginx: Peer;
  readonly nodeHttp: Peer;
  readonly lxd: ContainerPeer | undefined;
}

/** Those of some peers that are there. */
export function present<T>(...peers: readonly (T | undefined)[]): T[] {
  return peers.filter((peer) => peer !== undefined);
}
