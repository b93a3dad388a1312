import type { LiveFacts } from '../contract/live.ts';
import type { Init } from '../contract/runtime.ts';
import { cgroupsOf, readText } from './cgroups.ts';
import type { Interfaces } from './interfaces.ts';

/** How much of the host a container uses, from its cgroups and its network namespace. */
export async function readLive(init: Init, interfaces: Interfaces): Promise<LiveFacts> {
  const { pid } = init;
  const groups = cgroupsOf(pid);
  return {
    pid,
    processes: processesIn(groups.get('pids') ?? groups.get('') ?? null),
    cpuUsage: cpuUsage(groups),
    memoryUsage: firstNumber(groups, 'memory', ['memory.usage_in_bytes', 'memory.current']),
    memoryPeak: firstNumber(groups, 'memory', ['memory.max_usage_in_bytes', 'memory.peak']),
    diskUsage: null,
    network: await interfaces.of(init),
  };
}

/** The kernel's own count: a guest could make the walk through its cgroups as long as it likes. */
function processesIn(folder: string | null): number {
  return Number(readText(`${folder}/pids.current`) || 0);
}

const NANOSECONDS_PER_MICROSECOND = 1000;

function cpuUsage(groups: Map<string, string>): number {
  const old = readText(`${groups.get('cpuacct')}/cpuacct.usage`);
  if (old !== '') return Number(old);
  const usage = readText(`${groups.get('')}/cpu.stat`).match(/usage_usec (\d+)/)?.[1];
  return Number(usage ?? 0) * NANOSECONDS_PER_MICROSECOND;
}

function firstNumber(groups: Map<string, string>, controller: string, files: readonly string[]): number {
  for (const folder of [groups.get(controller), groups.get('')]) {
    for (const file of files) {
      const text = folder ? readText(`${folder}/${file}`) : '';
      if (text !== '') return Number(text);
    }
  }
  return 0;
}
