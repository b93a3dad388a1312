import { readFileSync } from 'node:fs';

/**
 * The host uid of uid 0 in a process's user namespace: /proc/PID/uid_map, user_namespaces(7). Null when there
 * is no such process, or no uid 0 in its namespace.
 */
export function rootUidOf(pid: number): number | null {
  const map = readOrNull(`/proc/${pid}/uid_map`);
  return map === null ? null : rootUidOfMap(map);
}

/** Whether a process is the first of its PID namespace: last number of NSpid in /proc/PID/status, proc(5). */
export function isInit(pid: number): boolean {
  return /^NSpid:.*\s1$/m.test(readOrNull(`/proc/${pid}/status`) ?? '');
}

/** The host uid of uid 0, from the text of a uid_map. */
export function rootUidOfMap(map: string): number | null {
  for (const line of map.split('\n')) {
    const [inside, outside, count] = line.trim().split(/\s+/).map(Number);
    if (inside === 0 && outside !== undefined && count !== undefined && count > 0) return outside;
  }
  return null;
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
