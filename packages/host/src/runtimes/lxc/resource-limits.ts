import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { Config } from '../../core/entities.ts';
import { parseBytes } from '../../core/units.ts';

/** `cgroup2` if all controllers are in the unified hierarchy, else `cgroup`; cgroups(7). */
export type CgroupVersion = 'cgroup' | 'cgroup2';

/** The version of cgroups that this host's controllers use. A hybrid host has them in the old hierarchies. */
export function cgroupVersion(): CgroupVersion {
  return existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'cgroup2' : 'cgroup';
}

/** LXC's lines for the `limits.*` keys. */
export function limitLines(config: Config, version: CgroupVersion): string[] {
  return [
    ...memory(config, version),
    ...processes(config, version),
    ...processors(config, version),
    ...kernel(config),
  ];
}

function memory(config: Config, version: CgroupVersion): string[] {
  const limit = config['limits.memory'];
  if (!limit) return [];
  const bytes = limit.endsWith('%')
    ? Math.floor((totalmem() * Number(limit.slice(0, -1))) / 100)
    : parseBytes(limit);
  const file = version === 'cgroup2' ? 'memory.max' : 'memory.limit_in_bytes';
  return [`lxc.${version}.${file} = ${bytes}`];
}

function processes(config: Config, version: CgroupVersion): string[] {
  const limit = config['limits.processes'];
  return limit ? [`lxc.${version}.pids.max = ${limit}`] : [];
}

/** A count of n becomes the first n processors; a list such as `0-1,3` is used unchanged. */
function processors(config: Config, version: CgroupVersion): string[] {
  const limit = config['limits.cpu'];
  if (!limit) return [];
  const set = /^\d+$/.test(limit) ? `0-${Number(limit) - 1}` : limit;
  return [`lxc.${version}.cpuset.cpus = ${set}`];
}

/** `limits.kernel.nofile` becomes `lxc.prlimit.nofile`. */
function kernel(config: Config): string[] {
  const prefix = 'limits.kernel.';
  return Object.entries(config)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => `lxc.prlimit.${key.slice(prefix.length)} = ${value}`);
}
