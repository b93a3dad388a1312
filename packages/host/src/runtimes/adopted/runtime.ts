import { adoptedInit, type ProcessName } from '../../core/adopted.ts';
import type { Addition, Config, Device, Instance } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import type { HostIds } from '../../core/host-ids.ts';
import type { ExitWatch } from '../../native/exit-watch.ts';
import { PinnedProcess } from '../../native/pinned-process.ts';
import { bootId, startTimeOf } from '../../native/start-time.ts';
import type { ExecProcess } from '../contract/exec.ts';
import type { LiveFacts } from '../contract/live.ts';
import type {
  Adopter,
  DeviceTarget,
  Ending,
  FileWork,
  Init,
  RunHandle,
  RunSpec,
} from '../contract/runtime.ts';
import { checkAdoptedConfig, checkAdoptedDevice } from './refused.ts';

/**
 * Recognises instances that some other runtime has started, such as Podman or runc: their callers are served, their
 * end is noticed, and that is all. Their processes, files, mounts and network are that runtime's, which also shows
 * the guest API's folder inside, at /dev/lxd.
 */
export class AdoptedRuntime implements Adopter {
  readonly driver = 'adopted';
  readonly driverVersion = '';
  readonly owns = false;
  readonly #watch: ExitWatch;
  readonly #bootId = bootId();

  constructor(watch: ExitWatch) {
    this.#watch = watch;
  }

  nameOf(pid: number): ProcessName {
    const startTime = startTimeOf(pid);
    if (startTime === null) throw hostError('bad-request', `There is no process ${pid}`);
    return { pid, startTime, bootId: this.#bootId };
  }

  hostIds(): HostIds {
    return { uid: 0, gid: 0 };
  }

  async create(): Promise<void> {}

  async remove(): Promise<void> {}

  /** It runs already: takes hold of it. */
  async start({ config }: Pick<RunSpec, 'config'>): Promise<RunHandle> {
    const running = this.#hold(config);
    if (!running) throw hostError('bad-request', 'The process to adopt has ended');
    return running;
  }

  recall({ config }: Pick<Instance, 'config'>): RunHandle | null {
    return this.#hold(config);
  }

  async recover(instance: Pick<Instance, 'config'>): Promise<RunHandle | null> {
    return this.recall(instance);
  }

  /** An end that nobody watched is one for good: nothing here could start it again. */
  lastEnding(): Ending {
    return 'stop';
  }

  halt(): void {
    throw hostError('not-ours', 'its processes are left alone');
  }

  kill(): void {
    this.halt();
  }

  async setFrozen(): Promise<void> {
    this.halt();
  }

  checkConfig(config: Config): void {
    checkAdoptedConfig(config);
  }

  async checkDevice(name: string, device: Device): Promise<void> {
    checkAdoptedDevice(name, device);
  }

  /** Its devices only describe what is there. */
  async attach(): Promise<{ created: boolean }> {
    return { created: false };
  }

  async foresee({ name, device }: DeviceTarget): Promise<Addition> {
    return { name, device, created: false };
  }

  async withdraw(): Promise<void> {}

  async detach(): Promise<void> {}

  async updateDevice(): Promise<void> {}

  async attachMissing(): Promise<void> {}

  /** Whoever is refused by `security.devlxd` is refused on the socket; the mount is its own runtime's. */
  async setGuestApiMount(): Promise<void> {}

  async exec(): Promise<ExecProcess> {
    throw hostError('not-ours', 'run commands with it');
  }

  async files(): Promise<FileWork> {
    throw hostError('not-ours', 'copy files with it');
  }

  /** What it uses is for its own runtime to tell. */
  async live({ pid }: Init): Promise<LiveFacts> {
    const unknown = { processes: 0, cpuUsage: 0, memoryUsage: 0, memoryPeak: 0 };
    return { pid, ...unknown, diskUsage: null, network: null };
  }

  logPath(): null {
    return null;
  }

  /** Null when the process has ended, whatever has its pid now. */
  #hold(config: Config): RunHandle | null {
    const name = adoptedInit(config);
    const init = name?.bootId === this.#bootId ? PinnedProcess.named(name.pid, name.startTime) : null;
    if (!init) return null;
    const ended = this.#watch.exited(init).then((): Ending => 'stop');
    const release = () => {
      this.#watch.forget(init);
      init.release();
    };
    return { init, hostNames: {}, ended, frozen: false, release };
  }
}
