import type { Config } from './entities.ts';
import { hostError } from './host-errors.ts';

/** The keys whose limits can change while an instance runs. */
export const LIVE_LIMITS = ['limits.memory', 'limits.processes', 'limits.cpu'] as const;
export type LiveLimit = (typeof LIVE_LIMITS)[number];

/** The limits that differ between two expanded configs, of those that can change while an instance runs. */
export function changedLimits(before: Config, after: Config): LiveLimit[] {
  return LIVE_LIMITS.filter((key) => before[key] !== after[key]);
}

/**
 * Refuses a change of `limits.kernel.*` of a running instance: its processes have inherited the limits that they
 * were started with.
 * @throws CodedError limit-needs-start
 */
export function refuseKernelLimits(before: Config, after: Config): void {
  const key = Object.keys({ ...before, ...after }).find(
    (each) => each.startsWith('limits.kernel.') && before[each] !== after[each],
  );
  if (key !== undefined) throw hostError('limit-needs-start', key);
}
