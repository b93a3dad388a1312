import type { LiveFacts } from '../contract/live.ts';
import type { Init } from '../contract/runtime.ts';
import type { Interfaces } from '../kernel/interfaces.ts';
import { readUsage } from '../kernel/usage.ts';
import { cgroupsOf } from './cgroups.ts';

/** How much of the host a container uses, from its cgroups and its network namespace. */
export async function readLive(init: Init, interfaces: Interfaces): Promise<LiveFacts> {
  const usage = readUsage(cgroupsOf(init.pid));
  return { pid: init.pid, ...usage, diskUsage: null, network: await interfaces.of(init) };
}
