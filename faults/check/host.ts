import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A process of the host. */
interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  /** Its arguments, with spaces between. */
  readonly words: string;
}

/** Mount points of this mount namespace below a folder, the innermost first. */
export function mountsOf(folder: string): string[] {
  return pointsOf('self')
    .filter((point) => point.startsWith(`${folder}/`))
    .reverse();
}

/** The mount points that a process sees; none if it has ended. */
export function pointsOf(pid: number | 'self'): string[] {
  const text = textOf(`/proc/${pid}/mountinfo`);
  return text.split('\n').flatMap((line) => line.split(' ')[4] ?? []);
}

/** Processes whose arguments name a folder, and their children without arguments, such as zombies. */
export function processesOf(folder: string): Process[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => processOf(Number(pid)) ?? []);
  const named = all.filter(({ words }) => words.includes(folder));
  const parents = named.map(({ pid }) => pid);
  return [...named, ...all.filter(({ parent, state }) => state === 'Z' && parents.includes(parent))];
}

/** The first child of a process; null if it has none. */
export function childOf(pid: number): number | null {
  const [child = ''] = textOf(`/proc/${pid}/task/${pid}/children`).split(' ');
  return child === '' ? null : Number(child);
}

/** The parent of a process; 0 if it has ended. */
export function parentOf(pid: number): number {
  return processOf(pid)?.parent ?? 0;
}

function processOf(pid: number): Process | null {
  const status = textOf(`/proc/${pid}/status`);
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
  if (status === '') return null;
  const words = textOf(`/proc/${pid}/cmdline`).split('\0').join(' ').trim();
  return { pid, parent: Number(field('PPid')), state: field('State'), words };
}

const CGROUPS = '/sys/fs/cgroup';

/** The ids of instances with cgroups in any hierarchy, beginning with a first id. */
export function cgroupsFrom(first: number, last: number): number[] {
  const roots = existsSync(join(CGROUPS, 'cgroup.procs'))
    ? [CGROUPS]
    : readdirSync(CGROUPS).map((name) => join(CGROUPS, name));
  const names = roots.flatMap((root) => namesIn(root));
  const ids = names.flatMap((name) => /^lxc\.(?:payload|monitor)\.(\d+)/.exec(name)?.[1] ?? []).map(Number);
  return [...new Set(ids)].filter((id) => id > first && id <= last);
}

/** Names in a folder; none if it is not there. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** A file's text; empty if it is not there. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
