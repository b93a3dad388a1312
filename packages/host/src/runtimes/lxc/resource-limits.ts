import { totalmem } from 'node:os';
import type { Config } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import { LIVE_LIMITS, type LiveLimit } from '../../core/limits.ts';
import { parseMemoryLimit } from '../../core/units.ts';
import type { RunSpec } from '../contract/runtime.ts';
import { CGROUP_ROOT, readText } from '../kernel/cgroup-files.ts';
import { type CgroupVersion, controllerFolder, controllerVersion } from './cgroups.ts';
import { type ProcessorFacts, processorsFor } from './processors.ts';

/** A limit that a cgroup holds. */
export interface GroupLimit {
  readonly controller: 'memory' | 'pids' | 'cpuset';
  /** The file that holds it, in each version of cgroups; cgroups(7). */
  readonly file: Readonly<Record<CgroupVersion, string>>;
  /** The text of the file for the value of the key. */
  text(value: string, facts: ProcessorFacts): string | Promise<string>;
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
    text: processorsFor,
    none: { cgroup: undefined, cgroup2: '' },
  },
};

function bytesOf(value: string): number {
  const limit = parseMemoryLimit(value);
  return 'bytes' in limit ? limit.bytes : Math.floor((totalmem() * limit.percent) / 100);
}

/**
 * LXC's lines for the `limits.*` keys.
 * @param root where cgroups are mounted
 * @throws CodedError limit-failed when this host has no cgroups for a limit
 */
export async function limitLines(
  { id, config }: Pick<RunSpec, 'id' | 'config'>,
  root = CGROUP_ROOT,
): Promise<string[]> {
  const groups: string[] = [];
  for (const key of LIVE_LIMITS) {
    const value = config[key];
    if (!value) continue;
    const { controller, file, text } = GROUP_LIMITS[key];
    const version = controllerVersion(controller, root);
    if (version === null) throw hostError('limit-failed', key, `this host has no cgroups for ${controller}`);
    const facts = { now: '', folder: controllerFolder(controller, version, root), seed: id };
    groups.push(`lxc.${version}.${file[version]} = ${await text(value, facts)}`);
  }
  return [...groups, ...kernel(config)];
}

/** The weight that each cgroup has for the processors if nobody changes it, by version; cgroups(7). */
export const USUAL_WEIGHT: Readonly<Record<CgroupVersion, number>> = { cgroup: 1024, cgroup2: 100 };

/** The file of the weight in the folder of a cgroup, by version; cgroups(7). */
export const WEIGHT_FILE: Readonly<Record<CgroupVersion, string>> = {
  cgroup: 'cpu.shares',
  cgroup2: 'cpu.weight',
};

/**
 * LXC's line for the weight of a container on a busy processor. None for the usual weight, and where LXC could not set
 * it: no weight is better than no start.
 * @param percent of the usual weight of a cgroup
 * @param root where cgroups are mounted
 */
export function weightLines(percent: number, root = CGROUP_ROOT): string[] {
  const version = percent === 100 ? null : controllerVersion('cpu', root);
  if (version === null) return [];
  const weight = Math.round((USUAL_WEIGHT[version] * percent) / 100);
  if (version === 'cgroup') return [`lxc.cgroup.${WEIGHT_FILE.cgroup} = ${weight}`];
  // Cgroups below the root have the controller only if the root passes it on.
  const passed = readText(`${controllerFolder('cpu', version, root)}/cgroup.subtree_control`)
    .trim()
    .split(' ');
  return passed.includes('cpu') ? [`lxc.cgroup2.${WEIGHT_FILE.cgroup2} = ${weight}`] : [];
}

/** `limits.kernel.nofile` becomes `lxc.prlimit.nofile`. */
function kernel(config: Config): string[] {
  const prefix = 'limits.kernel.';
  return Object.entries(config)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => `lxc.prlimit.${key.slice(prefix.length)} = ${value}`);
}
