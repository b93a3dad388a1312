import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, release, totalmem } from 'node:os';
import { run } from '../../packages/host/src/process/run.ts';

/** The machine and the software that the figures were measured with. */
export interface Machine {
  readonly date: string;
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly arch: string;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly system: string;
  /** Load average over the minute before the benchmarks: shows other work on the machine. */
  readonly loadBefore: number;
  readonly versions: Readonly<Record<string, string>>;
}

const GIB = 1024 ** 3;

/** Commands that print a version. */
const VERSIONS = {
  nginx: ['nginx', '-v'],
  lxd: ['lxd', '--version'],
  h2load: ['h2load', '--version'],
  gcc: ['gcc', '-dumpfullversion'],
  lxc: ['lxc-start', '--version'],
  etcd: ['etcd', '--version'],
} as const;

/** Describes the machine. @param checkout folder of the measured daemon's sources */
export async function describeMachine(checkout: string): Promise<Machine> {
  const found = cpus();
  return {
    date: new Date().toISOString(),
    commit: await commit(checkout),
    cpu: found[0]?.model.trim() ?? 'unknown',
    cores: found.length,
    arch: arch(),
    memoryGib: Math.round((totalmem() / GIB) * 10) / 10,
    kernel: /^[\d.]+/.exec(release())?.[0] ?? release(),
    system: /^PRETTY_NAME="(.+)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown',
    loadBefore: loadavg()[0] ?? 0,
    versions: { node: process.versions.node, ...(await versions()) },
  };
}

async function versions(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, [command, ...args]] of Object.entries(VERSIONS)) {
    const { ok, stdout, stderr } = await run(command, args);
    found[name] = (ok && /\d+(\.\d+)+/.exec(`${stdout} ${stderr}`)?.[0]) || 'not installed';
  }
  return found;
}

async function commit(checkout: string): Promise<string> {
  const git = (...args: string[]) => run('git', ['-C', checkout, ...args]);
  const { ok, stdout } = await git('rev-parse', '--short', 'HEAD');
  if (!ok) return 'unknown';
  const changed = (await git('status', '--porcelain', '--untracked-files=no')).stdout.trim() !== '';
  return changed ? `${stdout.trim()}, changed` : stdout.trim();
}
