import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { inject } from 'vitest';
import { type Finished, run } from '../../src/process/run.ts';
import { until } from './api.ts';
import { CgroupFolders } from './cgroup-folders.ts';

const TIMEOUT_MS = 60_000;

/** Folders in which container managers keep locks, sockets and keys: empty ones hide those of this host. */
const HIDDEN = ['/run', '/dev/shm', '/etc/docker'];

/**
 * A folder, mounts and cgroups for one container manager and its containers. At its end it kills all processes in it,
 * and removes everything.
 */
export class PrivateHost {
  readonly folder: string;
  /** The name of its cgroup in each hierarchy. */
  readonly cgroup: string;
  readonly #cgroups: CgroupFolders;
  readonly #holder: ChildProcess;

  private constructor(name: string) {
    this.folder = mkdtempSync(`/var/tmp/porthole-test-${name}-`);
    this.cgroup = basename(this.folder);
    this.#cgroups = new CgroupFolders(this.cgroup);
    this.#cgroups.make();
    const script = `${HIDDEN.filter((path) => existsSync(path))
      .map((path) => `mount -t tmpfs tmpfs ${path} && `)
      .join('')}echo ready && exec sleep inf`;
    this.#holder = spawn('unshare', ['--mount', 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  static async make(name: string): Promise<PrivateHost> {
    const host = new PrivateHost(name);
    await once(host.#holder.stdout as NodeJS.ReadableStream, 'data');
    return host;
  }

  /** Runs a program in it. */
  run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
    const [command, ...args] = this.#inside(words);
    return run(command, args, { timeoutMs: TIMEOUT_MS, env: { ...(process.env as typeof env), ...env } });
  }

  /** Starts a program that stays in it. */
  spawn(words: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const [command, ...args] = this.#inside(words);
    return spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  }

  #inside(words: readonly string[]): [string, ...string[]] {
    const enter = ['sh', '-c', this.#cgroups.enterAndRun(), 'sh'];
    return ['nsenter', `--mount=/proc/${this.#holder.pid}/ns/mnt`, '--', ...enter, ...words];
  }

  /** The cgroups below its own: one or more for each container that runs. */
  cgroupsBelow(): string[] {
    return this.#cgroups.below();
  }

  /** The busybox image's root, as an archive from which images are made. */
  rootArchive(): string {
    const archive = `${this.folder}/root.tar`;
    if (existsSync(archive)) return archive;
    execFileSync('mkdir', [`${this.folder}/unpacked`]);
    execFileSync('tar', ['-xzf', inject('busybox'), '-C', `${this.folder}/unpacked`]);
    execFileSync('tar', ['-cf', archive, '-C', `${this.folder}/unpacked/rootfs`, '.']);
    return archive;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await until('all its processes have ended', () => {
      const pids = this.#cgroups.pids();
      for (const pid of pids) kill(Number(pid));
      return pids.length === 0;
    });
    this.#holder.kill('SIGKILL');
    if (this.#holder.exitCode === null && this.#holder.signalCode === null) await once(this.#holder, 'exit');
    this.#cgroups.remove();
    rmSync(this.folder, { recursive: true });
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** The standard output of a program that succeeded. @throws Error with its output if it failed */
export function outputOf(name: string, { ok, failure, stdout, stderr }: Finished): string {
  if (!ok) throw new Error(`${name}: ${failure}\n${stdout}${stderr}`);
  return stdout.trim();
}
