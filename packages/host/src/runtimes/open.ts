import { isAdopted } from '../core/adopted.ts';
import type { Config } from '../core/model.ts';
import type { ExitWatch } from '../native/exit-watch.ts';
import { AdoptedRuntime } from './adopted/runtime.ts';
import type { Adopter, Runtime } from './contract/runtime.ts';
import { openLxc } from './lxc/open.ts';

/** The runtimes of this host. */
export interface Runtimes {
  /** The one that instances are made with. */
  readonly main: Runtime;
  readonly adopter: Adopter;
  /** The one that an instance is run by. */
  of(config: Config): Runtime;
  /** Ends what they are doing inside instances; the instances go on. */
  stop(): void;
}

/**
 * Looks at what this host can run.
 * @throws CodedError `no-lxc` that says what to install
 */
export async function openRuntimes(options: {
  readonly instances: string;
  readonly roots: string;
  readonly devlxd: string;
  readonly watch: ExitWatch;
}): Promise<Runtimes> {
  const main = await openLxc(options);
  const adopter = new AdoptedRuntime(options.watch);
  return { main, adopter, of: (config) => (isAdopted(config) ? adopter : main), stop: () => main.stop() };
}
