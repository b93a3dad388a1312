import type { ExitWatch } from '../../native/exit-watch.ts';
import type { IdRanges } from './ids.ts';

/** What the runtime needs of the daemon. */
export interface LxcOptions {
  /** Folder of all instances' files. */
  readonly instances: string;
  /** The guest API's folder, shown inside as /dev/lxd. */
  readonly devlxd: string;
  readonly ids: IdRanges | null;
  readonly watch: ExitWatch;
  /** Program that LXC runs when a run is over. */
  readonly stopHook: string;
}
