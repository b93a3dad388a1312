import type { InstanceJson } from '../wire/instance.ts';
import { STATUS_CODES } from '../wire/status.ts';

/** True when an instance does not run, nor is about to. */
export function isStopped(instance: InstanceJson): boolean {
  return instance.status_code === STATUS_CODES.Stopped || instance.status_code === STATUS_CODES.Error;
}
