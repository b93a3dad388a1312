import { totalmem } from 'node:os';
import type { Config } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import { LIVE_LIMITS, type LiveLimit } from '../../core/limits.ts';
import { parseMemoryLimit } from '../../core/units.ts';
import { readText } from '../kernel/cgroup-files.ts';
import { type CgroupVersion, controllerVersion } from './cgroups.ts';

/** A limit that a cgroup holds. */
export interface GroupLimit {
  readonly controller: 'memory' | 'pids' | 'cpuset';
  /** The file that holds it, in each version of cgroups; cgroups(7). */
  readonly file: Readonly<Record<CgroupVersion, string>>;
  /** The text of the file for the value of the key. */
  text(value: string): string;
  /** The text of the file when there is no limit; undefined: that of the cgroup above. */
  readonly none: Readonly<Record<CgroupVersion, string | undefined>>;
}

/** The limits of cgroups by their keys. */
export const GROUP_LIMITS: Readonly<Record<LiveLimit, GroupLimit>> = {
  'limits.memory': {
    controller: 'memory',
    file: { cgroup: 'memory.limit_in_bytes', cgroup2: 'memory.max' },
    text: (value) => String(bytesOf(value)),
    none: { cgroup: '-1', cgroup2: 'max' },
  },
  'limits.processes': {
    controller: 'pids',
    file: { cgroup: 'pids.max', cgroup2: 'pids.max' },
    // The kernel would read a leading zero as octal.
    text: (value) => String(Number(value)),
    none: { cgroup: 'max', cgroup2: 'max' },
  },
  'limits.cpu': {
    controller: 'cpuset',
    file: { cgroup: 'cpuset.cpus', cgroup2: 'cpuset.cpus' },
    text: processors,
    none: { cgroup: undefined, cgroup2: '' },
  },
};

function bytesOf(value: string): number {
  const limit = parseMemoryLimit(value);
  return 'bytes' in limit ? limit.bytes : Math.floor((totalmem() * limit.percent) / 100);
}

/**
 * A count of n becomes the host's first n processors, or all if there are no more; a set such as `0-1,3` stays.
 */
function processors(value: string): string {
  if (!/^\d+$/.test(value)) return value;
  return setOf(readText('/sys/devices/system/cpu/online').trim()).slice(0, Number(value)).join(',');
}

/** The numbers of a set such as `0-1,3`; none for an empty text. */
export function setOf(text: string): number[] {
  if (text === '') return [];
  const numbers = text.split(',').flatMap((part) => {
    const [from = '', to = from] = part.split('-');
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Number(from) + index);
  });
  return numbers.sort((a, b) => a - b);
}

/**
 * LXC's lines for the `limits.*` keys.
 * @param root where cgroups are mounted
 * @throws CodedError limit-failed when this host has no cgroups for a limit
 */
export function limitLines(config: Config, root?: string): string[] {
  const groups = LIVE_LIMITS.flatMap((key) => {
    const value = config[key];
    if (!value) return [];
    const { controller, file, text } = GROUP_LIMITS[key];
    const version = controllerVersion(controller, root);
    if (version === null) throw hostError('limit-failed', key, `this host has no cgroups for ${controller}`);
    return [`lxc.${version}.${file[version]} = ${text(value)}`];
  });
  return [...groups, ...kernel(config)];
}

/** `limits.kernel.nofile` becomes `lxc.prlimit.nofile`. */
function kernel(config: Config): string[] {
  const prefix = 'limits.kernel.';
  return Object.entries(config)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => `lxc.prlimit.${key.slice(prefix.length)} = ${value}`);
}
