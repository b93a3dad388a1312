import { readFileSync } from 'node:fs';

/**
 * From controller to the folder of the container's cgroup; the key `` is the unified hierarchy. The container
 * makes the part below `lxc.payload.*`, so that part is left out. /proc/PID/cgroup, cgroups(7).
 */
export function cgroupsOf(pid: number): Map<string, string> {
  const groups = new Map<string, string>();
  for (const line of readText(`/proc/${pid}/cgroup`).split('\n')) {
    const [, controllers, path] = line.split(':');
    const own = path?.match(/^.*?\/lxc\.payload[^/]*/)?.[0];
    if (controllers === undefined || own === undefined) continue;
    for (const controller of controllers.split(',')) groups.set(controller, folderOf(controller, own));
  }
  return groups;
}

/** Whether a container is frozen; with cgroup v1 the freezer is a separate controller. */
export function isFrozen(pid: number): boolean {
  const groups = cgroupsOf(pid);
  const old = groups.get('freezer');
  if (old !== undefined) return readText(`${old}/freezer.state`).startsWith('FR');
  return readText(`${groups.get('')}/cgroup.freeze`).trim() === '1';
}

/** The text of a file of the kernel; empty when it does not exist. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function folderOf(controller: string, path: string): string {
  if (controller !== '') return `/sys/fs/cgroup/${controller.replace('name=', '')}${path}`;
  const hybrid = readText('/sys/fs/cgroup/cgroup.controllers') === '';
  return `/sys/fs/cgroup${hybrid ? '/unified' : ''}${path}`;
}
