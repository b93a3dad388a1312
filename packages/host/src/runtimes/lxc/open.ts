import { chmodSync, chownSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CodedError } from '../../base/coded-error.ts';
import type { Log } from '../../base/log.ts';
import type { ExitWatch } from '../../native/exit-watch.ts';
import { openFilesFor } from '../../native/rlimit.ts';
import { isInstalled } from '../../process/programs.ts';
import type { Interfaces } from '../kernel/interfaces.ts';
import { readIdRanges } from './ids.ts';
import { Lxcfs } from './lxcfs.ts';
import { LxcRuntime } from './runtime.ts';

/**
 * Files that a process of an instance may have open: what Debian's unit of LXD gives to its instances. It does not
 * depend on the limits that the daemon was started with, as long as the daemon may set it.
 */
const OPEN_FILES = 1_048_576;

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
  readonly interfaces: Interfaces;
  /** Mount point of lxcfs, or `off`. */
  readonly lxcfs: string;
  readonly cpuWeight: number;
  readonly log: Log;
}): Promise<LxcRuntime> {
  // Running it takes a tenth of a second, in which no client would be served.
  if (!(await isInstalled('lxc-start')))
    throw new CodedError('no-lxc', 500, 'LXC is not installed: apt-get install lxc uidmap');
  const ids = readIdRanges();
  for (const folder of [options.instances, options.roots]) closeToOthers(folder, ids?.gid ?? 0);
  const lxcfs = new Lxcfs(options.lxcfs);
  return new LxcRuntime({ ...options, ids, stopHook: STOP_HOOK, lxcfs, openFiles: openFilesFor(OPEN_FILES) });
}

/**
 * Lets only the root of instances, by its group, enter a folder: files in it may be set-user-id, and other
 * users of the host must not be able to run them.
 */
function closeToOthers(folder: string, gid: number): void {
  chownSync(folder, 0, gid);
  chmodSync(folder, 0o710);
}
