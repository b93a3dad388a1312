import { existsSync } from 'node:fs';
import { run } from '../../process/run.ts';
import { CGROUP_ROOT, folderOf, membershipsIn, readText } from '../kernel/cgroup-files.ts';

/** Time limit for the removal of a guest's cgroups. */
const REMOVE_TIMEOUT_MS = 10_000;

/** `cgroup2`: the unified hierarchy; `cgroup`: a hierarchy of its own. LXC's keys begin with these; cgroups(7). */
export type CgroupVersion = 'cgroup' | 'cgroup2';

/**
 * The version of cgroups in which this host has a controller; null when it has none. A hybrid host has most
 * controllers in the old hierarchies, and the unified one beside them.
 * @param root where cgroups are mounted
 */
export function controllerVersion(controller: string, root = CGROUP_ROOT): CgroupVersion | null {
  const has = (folder: string) =>
    readText(`${folder}/cgroup.controllers`).trim().split(' ').includes(controller);
  if (has(root)) return 'cgroup2';
  if (existsSync(`${root}/${controller}/tasks`)) return 'cgroup';
  return has(`${root}/unified`) ? 'cgroup2' : null;
}

/**
 * The folder of the hierarchy that has a controller. LXC makes the cgroups of its containers there.
 * @param root where cgroups are mounted
 */
export function controllerFolder(controller: string, version: CgroupVersion, root: string): string {
  if (version === 'cgroup') return `${root}/${controller}`;
  return existsSync(`${root}/cgroup.controllers`) ? root : `${root}/unified`;
}

/**
 * From controller to the folder of the container's cgroup; the key `` is the unified hierarchy. The container
 * makes the part below `lxc.payload.*`, so that part is left out. /proc/PID/cgroup, cgroups(7).
 */
export function cgroupsOf(pid: number): Map<string, string> {
  const groups = new Map<string, string>();
  for (const { controllers, path } of membershipsIn(readText(`/proc/${pid}/cgroup`))) {
    const own = path.match(/^.*?\/lxc\.payload[^/]*/)?.[0];
    if (own === undefined) continue;
    for (const controller of controllers) groups.set(controller, folderOf(controller, own));
  }
  return groups;
}

/**
 * The cgroups that LXC has made for a process of a container, its init or its monitor, in all hierarchies. LXC adds a
 * number to their names when another container, such as one of another daemon, has the plain name.
 */
export function cgroupFolders(pid: number, id: number): string[] {
  const own = new RegExp(`^.*?/lxc\\.(?:payload|monitor)\\.${id}(?:-\\d+)?(?=/|$)`);
  const folders = new Set<string>();
  for (const { controllers, path } of membershipsIn(readText(`/proc/${pid}/cgroup`))) {
    const found = own.exec(path)?.[0];
    if (found !== undefined) folders.add(folderOf(controllers.join(), found));
  }
  return [...folders];
}

/**
 * Removes cgroups that have no process, and the cgroups below them. A guest can have made any number of these. Never
 * fails: a cgroup in use stays.
 */
export async function removeCgroups(folders: readonly string[]): Promise<void> {
  const there = folders.filter((folder) => existsSync(folder));
  if (there.length === 0) return;
  await run('find', [...there, '-depth', '-type', 'd', '-delete'], { timeoutMs: REMOVE_TIMEOUT_MS });
}

/** Whether a container is frozen; with cgroup v1 the freezer is a separate controller. */
export function isFrozen(pid: number): boolean {
  const groups = cgroupsOf(pid);
  const old = groups.get('freezer');
  if (old !== undefined) return readText(`${old}/freezer.state`).startsWith('FR');
  return readText(`${groups.get('')}/cgroup.freeze`).trim() === '1';
}
