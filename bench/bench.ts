import type { Results } from './frame/results.ts';
import type { LoadTools } from './load/load-tools.ts';
import type { ContainerPeer, Peer } from './peers/peer.ts';
import type { Portholed } from './peers/porthole.ts';
import type { Plan } from './plan.ts';

/** What every measurement gets. */
export interface Bench {
  readonly plan: Plan;
  readonly results: Results;
  readonly tools: LoadTools;
  /** Of this run alone; gone after it. Callers may search it. */
  readonly folder: string;
  readonly peers: Peers;
  /** Tells how far it is. */
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** The servers, all of them running; those that are not there are left out. */
export interface Peers {
  readonly porthole: ContainerPeer & { readonly daemon: Portholed };
  readonly nginx: Peer;
  readonly nodeHttp: Peer;
  readonly lxd: ContainerPeer | undefined;
}

/** Those of some peers that are there. */
export function present<T>(...peers: readonly (T | undefined)[]): T[] {
  return peers.filter((peer) => peer !== undefined);
}
