import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keepProgramsApart } from '../process/apart.ts';
import { CGROUP_ROOT, type Membership, membershipsIn, readText } from '../runtimes/kernel/cgroup-files.ts';
import { type CgroupVersion, controllerFolder, controllerVersion } from '../runtimes/lxc/cgroups.ts';
import { USUAL_WEIGHT, WEIGHT_FILE } from '../runtimes/lxc/resource-limits.ts';

const PREFIX = 'portholed.';

/** Where the daemon runs; other values are for tests. */
export interface OwnProcess {
  readonly pid: number;
  /** Where cgroups are mounted. */
  readonly root: string;
  /** The text of /proc/PID/cgroup. */
  readonly memberships: string;
}

const THIS: OwnProcess = {
  pid: process.pid,
  root: CGROUP_ROOT,
  memberships: readText('/proc/self/cgroup'),
};

/**
 * Gives the daemon a cgroup of its own with a weight on busy processors, beside those of instances. Nothing happens
 * where that is not possible, and in a unit of systemd, which has a weight of its own (`CPUWeight=`). A daemon that
 * was killed leaves its cgroup; the next one with a weight removes it.
 * @param percent of the usual weight of a cgroup; 100: no cgroup
 * @returns a function that leaves the cgroup and removes it; it never fails
 */
export async function enterOwnCgroup(percent: number, own: OwnProcess = THIS): Promise<() => Promise<void>> {
  const place = placeIn(own);
  if (!place) return async () => {};
  const folder = join(place.folder, `${PREFIX}${own.pid}`);
  await removeEnded(place.folder);
  const leave = () => leaveCgroup(folder, place.folder);
  if (percent === 100) {
    // Of the daemon before a restart in place, which had another setting.
    await leave();
    return async () => {};
  }
  try {
    await mkdir(folder, { recursive: true });
    const weight = Math.round((USUAL_WEIGHT[place.version] * percent) / 100);
    await writeFile(join(folder, WEIGHT_FILE[place.version]), String(weight));
    await writeFile(join(folder, 'cgroup.procs'), String(own.pid));
    keepProgramsApart(join(place.folder, 'cgroup.procs'));
  } catch {
    await leave();
  }
  return leave;
}

/** Where LXC makes the cgroups of instances, too: weights count among neighbours only. */
function placeIn({ root, memberships }: OwnProcess): { folder: string; version: CgroupVersion } | null {
  const version = controllerVersion('cpu', root);
  if (version === null || membershipsIn(memberships).some(isUnit)) return null;
  const folder = controllerFolder('cpu', version, root);
  if (version === 'cgroup') return { folder, version };
  // Cgroups below the root have the controller only if the root passes it on.
  const passed = readText(join(folder, 'cgroup.subtree_control')).trim().split(' ');
  return passed.includes('cpu') ? { folder, version } : null;
}

function isUnit({ path }: Membership): boolean {
  return path.endsWith('.service');
}

/**
 * Removes those of ended daemons. The kernel refuses to remove a cgroup with a process. One of a daemon that is just
 * starting may not have its process yet.
 */
async function removeEnded(place: string): Promise<void> {
  const names = await readdir(place).catch(() => []);
  const ended = names.filter(
    (name) => name.startsWith(PREFIX) && !existsSync(`/proc/${name.slice(PREFIX.length)}`),
  );
  await Promise.all(ended.map((name) => rmdir(join(place, name)).catch(() => {})));
}

/** Moves all processes out: the daemon, and programs that it has started and that have not ended. */
async function leaveCgroup(folder: string, place: string): Promise<void> {
  keepProgramsApart(null);
  try {
    const pids = (await readFile(join(folder, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean);
    for (const pid of pids) await writeFile(join(place, 'cgroup.procs'), pid).catch(() => {});
    await rmdir(folder);
  } catch {
    // It was not made, or a program has begun another one meanwhile: the next daemon removes it.
  }
}
