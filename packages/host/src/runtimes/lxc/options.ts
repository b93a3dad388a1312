import type { Log } from '../../base/log.ts';
import type { ExitWatch } from '../../native/exit-watch.ts';
import type { Interfaces } from '../kernel/interfaces.ts';
import type { IdRanges } from './ids.ts';
import type { Lxcfs } from './lxcfs.ts';

/** What the LXC runtime knows of its daemon and its host. */
export interface LxcOptions {
  /** Folder of all instances' files. */
  readonly instances: string;
  /** The guest API's folder, shown inside as /dev/lxd. */
  readonly devlxd: string;
  readonly ids: IdRanges | null;
  readonly watch: ExitWatch;
  readonly interfaces: Interfaces;
  /** Program that LXC runs when a run is over. */
  readonly stopHook: string;
  readonly lxcfs: Lxcfs;
  /** Files that a process of an instance may have open, by default. */
  readonly openFiles: number;
  /** Weight of an instance on a busy processor, in percent of the usual weight of a cgroup. */
  readonly cpuWeight: number;
  readonly log: Log;
}
