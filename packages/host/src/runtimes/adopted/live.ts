import type { Container } from '../../core/container.ts';
import type { LiveFacts } from '../contract/live.ts';
import type { Init } from '../contract/runtime.ts';
import { readText } from '../kernel/cgroup-files.ts';
import type { Interfaces } from '../kernel/interfaces.ts';
import { readUsage } from '../kernel/usage.ts';
import { ownCgroups } from './cgroups.ts';
import { insideOf, sharesNetwork } from './namespaces.ts';

const UNKNOWN = { processes: 0, cpuUsage: 0, memoryUsage: 0, memoryPeak: 0, diskUsage: null, network: null };

/**
 * How much of the host an adopted container uses. A figure is 0 if other processes are included in it, and `network` is
 * null if the container uses the host's network.
 * @param container null if it is not known, because the instance was adopted by pid
 */
export async function readLive(
  init: Init,
  container: Container | null,
  interfaces: Interfaces,
): Promise<LiveFacts> {
  const { pid } = init;
  const [groups, network] = await Promise.all([
    ownCgroups(container, {
      init: readText(`/proc/${pid}/cgroup`),
      self: readText('/proc/self/cgroup'),
      isInside: insideOf(pid),
    }),
    sharesNetwork(pid) ? null : interfaces.of(init),
  ]);
  const usage = readUsage(groups);
  // All of this was read by pid. It belongs to this init only if the init is still alive.
  return init.isAlive() ? { pid, ...usage, diskUsage: null, network } : { pid, ...UNKNOWN };
}
