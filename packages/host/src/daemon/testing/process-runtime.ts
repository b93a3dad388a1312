import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Addition, Config } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import type { HostIds } from '../../core/host-ids.ts';
import { PinnedProcess } from '../../native/pinned-process.ts';
import { APART } from '../../peer/testing/apart.ts';
import type { ExecProcess } from '../../runtimes/contract/exec.ts';
import type { LiveFacts } from '../../runtimes/contract/live.ts';
import type {
  DeviceTarget,
  Ending,
  FileWork,
  Init,
  RunHandle,
  Runtime,
} from '../../runtimes/contract/runtime.ts';

/** Prints a line when it runs, then waits. With `exec` the waiting program is the init itself. */
const INIT = 'echo; exec sleep infinity';

/** A minimal runtime: an instance is one process with its own user and PID namespaces, and no files. */
export class ProcessRuntime implements Runtime {
  readonly driver = 'process';
  readonly owns = true;
  /** Instances that it has made and not removed. */
  readonly made = new Set<number>();
  readonly #runs = new Set<PinnedProcess>();

  checkAction(): void {}

  async driverVersion(): Promise<string> {
    return '1';
  }

  hostIds(): HostIds {
    return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  }

  async create(id: number): Promise<void> {
    this.made.add(id);
  }

  async remove(id: number): Promise<void> {
    this.made.delete(id);
  }

  async start(): Promise<RunHandle> {
    const child = spawn('unshare', [...APART, 'sh', '-c', INIT], { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = once(child, 'exit').then((): Ending => 'stop');
    await Promise.race([once(child.stdout, 'data'), ended]);
    const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'));
    const init = PinnedProcess.find(pid);
    if (init === null) throw hostError('runtime-failed', 'it has ended');
    this.#runs.add(init);
    const release = () => {
      this.#runs.delete(init);
      init.release();
    };
    return { init, hostNames: {}, ended, frozen: false, release };
  }

  /** Ends the instances that still run, such as after a test that has failed. */
  end(): void {
    for (const init of this.#runs) this.kill(init);
  }

  recall(): null {
    return null;
  }

  async recover(): Promise<null> {
    return null;
  }

  lastEnding(): Ending {
    return 'stop';
  }

  halt(init: Init): void {
    this.kill(init);
  }

  kill(init: Init): void {
    init.signal(9);
  }

  checkConfig(config: Config): void {
    if ('limits.memory' in config) throw hostError('bad-request', 'A process has no limits.memory');
  }

  async setFrozen(): Promise<void> {}

  checkStart(): void {}
  async checkDevice(): Promise<void> {}

  async foresee({ name, device }: DeviceTarget): Promise<Addition> {
    return { name, device, created: false };
  }

  async withdraw(): Promise<void> {}

  async attach(): Promise<{ created: boolean }> {
    return { created: false };
  }

  async detach(): Promise<void> {}

  async updateDevice(): Promise<void> {}

  async attachMissing(): Promise<void> {}

  async setLimits(): Promise<void> {}

  async setGuestApiMount(): Promise<void> {}

  async setRootSize(): Promise<void> {}

  async console(): Promise<ExecProcess> {
    throw hostError('runtime-failed', 'it has no console');
  }

  consoleFiles(): null {
    return null;
  }

  async exec(): Promise<ExecProcess> {
    throw hostError('runtime-failed', 'it runs nothing else');
  }

  async files(): Promise<FileWork> {
    throw hostError('runtime-failed', 'it has no files');
  }

  async live({ pid }: Init): Promise<LiveFacts> {
    const unknown = { processes: 1, cpuUsage: 0, memoryUsage: 0, memoryPeak: 0 };
    return { pid, ...unknown, diskUsage: null, network: null };
  }

  logPath(): null {
    return null;
  }
}
