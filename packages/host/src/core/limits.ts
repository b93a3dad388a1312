import type { Config } from './entities.ts';
import { hostError } from './host-errors.ts';

/** The keys whose limits can change while an instance runs; last the one for which the kernel may have to free memory. */
export const LIVE_LIMITS = ['limits.cpu', 'limits.processes', 'limits.memory'] as const;
export type LiveLimit = (typeof LIVE_LIMITS)[number];

/** The limits that differ between two expanded configs, of those that can change while an instance runs. */
export function changedLimits(before: Config, after: Config): LiveLimit[] {
  return LIVE_LIMITS.filter((key) => before[key] !== after[key]);
}

/** Whether lines of `raw.lxc` may set limits, which are then the operator's to keep. */
export function hasRawLimits(config: Config): boolean {
  return config['raw.lxc']?.includes('lxc.cgroup') ?? false;
}

/**
 * Refuses changes of limits that a running instance cannot take: its processes have inherited `limits.kernel.*`
 * when they were started, and lines of `raw.lxc` win over the others.
 * @throws CodedError limit-needs-start
 */
export function refuseLateLimits(before: Config, after: Config): void {
  const [late] = hasRawLimits(before) || hasRawLimits(after) ? changedLimits(before, after) : [];
  if (late !== undefined) throw hostError('limit-needs-start', late);
  const key = Object.keys({ ...before, ...after }).find(
    (each) => each.startsWith('limits.kernel.') && before[each] !== after[each],
  );
  if (key !== undefined) throw hostError('limit-needs-start', key);
}
