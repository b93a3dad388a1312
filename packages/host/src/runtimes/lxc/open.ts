import { chmodSync, chownSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CodedError } from '../../base/coded-error.ts';
import type { ExitWatch } from '../../native/exit-watch.ts';
import { readIdRanges } from './ids.ts';
import { LxcRuntime } from './runtime.ts';
import { lxcVersion } from './tools.ts';

/** LXC runs it at the end of every run. */
const STOP_HOOK = fileURLToPath(new URL('./on-stop.sh', import.meta.url));

/**
 * Looks at what LXC this host has.
 * @throws CodedError `no-lxc` that says what to install
 */
export async function openLxc(options: {
  readonly instances: string;
  readonly roots: string;
  readonly devlxd: string;
  readonly watch: ExitWatch;
}): Promise<LxcRuntime> {
  const version = await lxcVersion();
  if (version === null)
    throw new CodedError('no-lxc', 500, 'LXC is not installed: apt-get install lxc uidmap');
  const ids = readIdRanges();
  for (const folder of [options.instances, options.roots]) closeToOthers(folder, ids?.gid ?? 0);
  return new LxcRuntime({ ...options, version, ids, stopHook: STOP_HOOK });
}

/**
 * Only the root of instances, by its group, may go below: files there may be set-user-id, and other users of
 * the host must not be able to run them.
 */
function closeToOthers(folder: string, gid: number): void {
  chownSync(folder, 0, gid);
  chmodSync(folder, 0o710);
}
