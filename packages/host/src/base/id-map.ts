/**
 * The id on the host of id 0, from the text of /proc/PID/uid_map or gid_map, user_namespaces(7). Null if there is no
 * id 0 in that namespace.
 */
export function rootIdOf(map: string): number | null {
  for (const line of map.split('\n')) {
    const [inside, outside, count] = line.trim().split(/\s+/).map(Number);
    if (inside === 0 && outside !== undefined && count !== undefined && count > 0) return outside;
  }
  return null;
}
