import { readFileSync } from 'node:fs';

/** The usual mount point of cgroups. */
export const CGROUP_ROOT = '/sys/fs/cgroup';

/** The cgroup of a process in one hierarchy. */
export interface Membership {
  /** Controllers of the hierarchy. A single `` means the unified hierarchy, `name=systemd` one without controllers. */
  readonly controllers: readonly string[];
  /** Path of the cgroup below the root of the hierarchy. */
  readonly path: string;
}

/** Reads the text of /proc/PID/cgroup; cgroups(7). */
export function membershipsIn(text: string): Membership[] {
  return text.split('\n').flatMap((line) => {
    const [, controllers, ...path] = line.split(':');
    if (controllers === undefined || path.length === 0) return [];
    return [{ controllers: controllers.split(','), path: path.join(':') }];
  });
}

/**
 * The folder of a cgroup.
 * @param controller one of its hierarchy; `` for the unified one
 * @param root mount point of the cgroups
 */
export function folderOf(controller: string, path: string, root = CGROUP_ROOT): string {
  if (controller !== '') return `${root}/${controller.replace('name=', '')}${path}`;
  const hybrid = readText(`${root}/cgroup.controllers`) === '';
  return `${root}${hybrid ? '/unified' : ''}${path}`;
}

/** The text of a file in /proc or /sys; empty if it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
