import { existsSync, statSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';

const KIB_PER_MIB = 1024;
const BYTES_PER_MIB = 1024 * 1024;

/** MiB of a process and its children. A page that n processes share counts as 1/n for each of them. */
export async function sharedMib(pid: number): Promise<number> {
  let sum = await fieldMib(`/proc/${pid}/smaps_rollup`, 'Pss');
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const children = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '');
    // A child that has ended meanwhile uses nothing.
    for (const child of children.split(' ').filter(Boolean))
      sum += await sharedMib(Number(child)).catch(() => 0);
  }
  return sum;
}

/** MiB of a process that are in memory, shared pages included. */
export function residentMib(pid: number): Promise<number> {
  return fieldMib(`/proc/${pid}/status`, 'VmRSS');
}

/** Open descriptors and threads of a process. */
interface Counts {
  readonly files: number;
  readonly threads: number;
}

export async function countsOf(pid: number): Promise<Counts> {
  const [files, threads] = await Promise.all([readdir(`/proc/${pid}/fd`), readdir(`/proc/${pid}/task`)]);
  return { files: files.length, threads: threads.length };
}

/** What a process holds: its descriptors by kind, and its threads. */
export interface Held {
  readonly sockets: number;
  /** One for each instance, and one for each process that has connected and that the fast lane remembers. */
  readonly pidfds: number;
  readonly others: number;
  readonly threads: number;
}

export async function heldBy(pid: number): Promise<Held> {
  const folder = `/proc/${pid}/fd`;
  // One may be closed meanwhile.
  const links = (await readdir(folder)).map((file) => readlink(`${folder}/${file}`).catch(() => null));
  const open = (await Promise.all(links)).filter((link) => link !== null);
  const sockets = open.filter((link) => link.startsWith('socket:')).length;
  const pidfds = open.filter((link) => link === 'anon_inode:[pidfd]').length;
  const { threads } = await countsOf(pid);
  return { sockets, pidfds, others: open.length - sockets - pidfds, threads };
}

/** MiB of a file; 0 when there is none. */
export function fileMib(path: string): number {
  return existsSync(path) ? statSync(path).size / BYTES_PER_MIB : 0;
}

/** Ticks of all processors so far: used, and all. */
export async function ticks(): Promise<{ readonly used: number; readonly all: number }> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  // proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal.
  const fields = line.split(/\s+/).slice(1, 9).map(Number);
  const all = fields.reduce((sum, each) => sum + each, 0);
  return { used: all - (fields[3] as number) - (fields[4] as number), all };
}

async function fieldMib(file: string, name: string): Promise<number> {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(await readFile(file, 'utf8'));
  return Number(found?.[1] ?? 0) / KIB_PER_MIB;
}
