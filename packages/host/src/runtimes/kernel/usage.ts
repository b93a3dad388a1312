import type { LiveFacts } from '../contract/live.ts';
import { readText } from './cgroup-files.ts';

/** The folder of a container's cgroup, by controller; the key `` is the unified hierarchy. */
export type Groups = ReadonlyMap<string, string>;

/** How much of the host a container uses. */
export type Usage = Pick<LiveFacts, 'processes' | 'cpuUsage' | 'memoryUsage' | 'memoryPeak'>;

/** Reads the kernel's figures for a container's cgroups, which include all cgroups below. 0 if unknown. */
export function readUsage(groups: Groups): Usage {
  return {
    processes: firstNumber(groups, 'pids', ['pids.current']),
    cpuUsage: cpuUsage(groups),
    memoryUsage: firstNumber(groups, 'memory', ['memory.usage_in_bytes', 'memory.current']),
    memoryPeak: firstNumber(groups, 'memory', ['memory.max_usage_in_bytes', 'memory.peak']),
  };
}

const NANOSECONDS_PER_MICROSECOND = 1000;

function cpuUsage(groups: Groups): number {
  const old = readText(`${groups.get('cpuacct')}/cpuacct.usage`);
  if (old !== '') return Number(old);
  const usage = readText(`${groups.get('')}/cpu.stat`).match(/usage_usec (\d+)/)?.[1];
  return Number(usage ?? 0) * NANOSECONDS_PER_MICROSECOND;
}

function firstNumber(groups: Groups, controller: string, files: readonly string[]): number {
  for (const folder of [groups.get(controller), groups.get('')]) {
    for (const file of files) {
      const text = folder ? readText(`${folder}/${file}`) : '';
      if (text !== '') return Number(text);
    }
  }
  return 0;
}
