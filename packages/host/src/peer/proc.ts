import { readFileSync } from 'node:fs';
import { rootIdOf } from '../base/id-map.ts';

/**
 * The host uid of uid 0 in a process's user namespace: /proc/PID/uid_map, user_namespaces(7). Null when there
 * is no such process, or no uid 0 in its namespace.
 */
export function rootUidOf(pid: number): number | null {
  return rootIdOf(readOrNull(`/proc/${pid}/uid_map`) ?? '');
}

/** Whether a process is the first of its PID namespace: last number of NSpid in /proc/PID/status, proc(5). */
export function isInit(pid: number): boolean {
  return /^NSpid:.*\s1$/m.test(readOrNull(`/proc/${pid}/status`) ?? '');
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
