import { chmodSync, chownSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CodedError } from '../../base/coded-error.ts';
import type { ExitWatch } from '../../native/exit-watch.ts';
import { isInstalled } from '../../process/programs.ts';
import { readIdRanges } from './ids.ts';
import { LxcRuntime } from './runtime.ts';

/** LXC runs it at the end of every run. */
const STOP_HOOK = fileURLToPath(new URL('./on-stop.sh', import.meta.url));

/**
 * Finds out which LXC this host has.
 * @throws CodedError `no-lxc` that says what to install
 */
export async function openLxc(options: {
  readonly instances: string;
  readonly roots: string;
  readonly devlxd: string;
  readonly watch: ExitWatch;
}): Promise<LxcRuntime> {
  // Running it takes a tenth of a second, in which no client would be served.
  if (!(await isInstalled('lxc-start')))
    throw new CodedError('no-lxc', 500, 'LXC is not installed: apt-get install lxc uidmap');
  const ids = readIdRanges();
  for (const folder of [options.instances, options.roots]) closeToOthers(folder, ids?.gid ?? 0);
  return new LxcRuntime({ ...options, ids, stopHook: STOP_HOOK });
}

/**
 * Lets only the root of instances, by its group, enter a folder: files in it may be set-user-id, and other
 * users of the host must not be able to run them.
 */
function closeToOthers(folder: string, gid: number): void {
  chownSync(folder, 0, gid);
  chmodSync(folder, 0o710);
}
