import { adoptedInit, type ProcessName } from '../../core/adopted.ts';
import { type Container, containerOf } from '../../core/container.ts';
import type { Addition, Config, Device, Instance } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import type { HostIds } from '../../core/host-ids.ts';
import type { ExitWatch } from '../../native/exit-watch.ts';
import { userNamespaceOwner } from '../../native/namespace.ts';
import { PinnedProcess } from '../../native/pinned-process.ts';
import { bootId, isRunning, startTimeOf } from '../../native/start-time.ts';
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
  RuntimeAction,
} from '../contract/runtime.ts';
import type { Interfaces } from '../kernel/interfaces.ts';
import { refuseAction } from './commands.ts';
import { hideGuestApi, showGuestApi } from './guest-api.ts';
import { readLive } from './live.ts';
import { checkAdoptedConfig, checkAdoptedDevice } from './refused.ts';

/**
 * Recognises instances that another runtime has started, such as Podman or runc. Porthole answers their callers,
 * notices their end, and reads the kernel's figures about them. Their processes, files, mounts and network belong to
 * that runtime, which also mounts the guest API's folder at /dev/lxd. Porthole mounts this folder itself only in a
 * machine that a profile asks for. It does nothing else.
 */
export class AdoptedRuntime implements Adopter {
  readonly driver = 'adopted';
  readonly owns = false;
  readonly #watch: ExitWatch;
  readonly #interfaces: Interfaces;
  readonly #containers = new WeakMap<Init, Container>();
  readonly #devlxd: string;
  readonly #bootId = bootId();

  /** @param devlxd folder of the guest API's socket */
  constructor(watch: ExitWatch, interfaces: Interfaces, devlxd: string) {
    this.#watch = watch;
    this.#interfaces = interfaces;
    this.#devlxd = devlxd;
  }

  checkAction(action: RuntimeAction, config: Config): never {
    refuseAction(action, containerOf(config));
  }

  nameOf(pid: number): ProcessName {
    const startTime = startTimeOf(pid);
    if (startTime === null) throw hostError('bad-request', `There is no process ${pid}`);
    return { pid, startTime, bootId: this.#bootId };
  }

  isRunning({ pid, startTime, bootId: boot }: ProcessName): boolean {
    return boot === this.#bootId && isRunning(pid, startTime);
  }

  ownerOf(pid: number): number {
    try {
      return userNamespaceOwner(pid);
    } catch {
      throw hostError('bad-request', `There is no process ${pid}`);
    }
  }

  showGuestApi(init: ProcessName): Promise<boolean> {
    return showGuestApi(init, this.#devlxd);
  }

  hideGuestApi(init: ProcessName): Promise<void> {
    return hideGuestApi(init);
  }

  async driverVersion(): Promise<string> {
    return '';
  }

  hostIds(): HostIds {
    return { uid: 0, gid: 0 };
  }

  async create(): Promise<void> {}

  async remove(): Promise<void> {}

  /** The instance runs already, so this only opens a pidfd of its init. */
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

  /** If a run ended while no daemon watched it, that counts as a stop: this runtime cannot start the instance again. */
  lastEnding(): Ending {
    return 'stop';
  }

  halt(): void {
    refuseAction('stop', null);
  }

  kill(): void {
    refuseAction('kill', null);
  }

  async setFrozen(): Promise<void> {
    refuseAction('freeze', null);
  }

  checkConfig(config: Config): void {
    checkAdoptedConfig(config);
  }

  checkStart(): void {}

  async checkDevice(name: string, device: Device): Promise<void> {
    checkAdoptedDevice(name, device);
  }

  /** Its devices only describe what exists already. */
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

  async setLimits(): Promise<void> {}

  /** The mount belongs to the other runtime. While `security.devlxd` is false, the guest API refuses the callers. */
  async setGuestApiMount(): Promise<void> {}

  async setRootSize(): Promise<void> {}

  async exec(): Promise<ExecProcess> {
    refuseAction('exec', null);
  }

  async console(): Promise<ExecProcess> {
    refuseAction('console', null);
  }

  async files(): Promise<FileWork> {
    refuseAction('files', null);
  }

  live(init: Init): Promise<LiveFacts> {
    return readLive(init, this.#containers.get(init) ?? null, this.#interfaces);
  }

  logPath(): null {
    return null;
  }

  consoleFiles(): null {
    return null;
  }

  /** Opens a pidfd of the init; null if the init has ended, even if another process has its pid now. */
  #hold(config: Config): RunHandle | null {
    const name = adoptedInit(config);
    const init = name?.bootId === this.#bootId ? PinnedProcess.named(name.pid, name.startTime) : null;
    if (!init) return null;
    const container = containerOf(config);
    if (container) this.#containers.set(init, container);
    const ended = this.#watch.exited(init).then((): Ending => 'stop');
    const release = () => {
      this.#watch.forget(init);
      init.release();
    };
    return { init, hostNames: {}, ended, frozen: false, release };
  }
}
