import type { Log } from '../base/log.ts';
import { isAdopted } from '../core/adopted.ts';
import type { Config } from '../core/entities.ts';
import type { ExitWatch } from '../native/exit-watch.ts';
import { AdoptedRuntime } from './adopted/runtime.ts';
import type { Adopter, Runtime } from './contract/runtime.ts';
import { Interfaces } from './kernel/interfaces.ts';
import type { LxcfsState } from './lxc/lxcfs.ts';
import { openLxc } from './lxc/open.ts';

/** The runtimes of this host. */
export interface Runtimes {
  /** The one that instances are made with. */
  readonly main: Runtime;
  readonly adopter: Adopter;
  /** The one that an instance with this config uses. */
  of(config: Config): Runtime;
  /** Whether an instance that starts now sees its own memory, processors and uptime. */
  lxcfs(): Promise<LxcfsState>;
  /** Ends their work inside instances; the instances go on. */
  stop(): void;
}

/** Where runtimes keep their files, and the watch that tells them when processes end. */
export interface RuntimePlaces {
  readonly instances: string;
  readonly roots: string;
  readonly devlxd: string;
  readonly watch: ExitWatch;
  /** Mount point of lxcfs, or `off`. */
  readonly lxcfs: string;
  /** Weight of an instance on a busy processor, in percent of the usual weight of a cgroup. */
  readonly cpuWeight: number;
  readonly log: Log;
}

/** Opens the runtimes of a daemon. */
export type OpenRuntimes = (places: RuntimePlaces) => Promise<Runtimes>;

/**
 * Finds out what this host can run.
 * @throws CodedError `no-lxc` that says what to install
 */
export async function openRuntimes(places: RuntimePlaces): Promise<Runtimes> {
  // One helper program reads the interfaces of all instances.
  const interfaces = new Interfaces();
  const main = await openLxc({ ...places, interfaces });
  const adopter = new AdoptedRuntime(places.watch, interfaces, places.devlxd);
  const of = (config: Config) => (isAdopted(config) ? adopter : main);
  const stop = () => {
    main.stop();
    interfaces.stop();
  };
  return { main, adopter, of, lxcfs: () => main.lxcfs(), stop };
}
