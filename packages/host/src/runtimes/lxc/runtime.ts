import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { isTrue } from '../../core/booleans.ts';
import type { Addition, Config, Device, Devices, Instance } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import type { HostIds } from '../../core/host-ids.ts';
import { hasRawLimits, type LiveLimit } from '../../core/limits.ts';
import type { PinnedProcess } from '../../native/pinned-process.ts';
import { Looks } from '../../process/look.ts';
import type { ConsoleFiles, ConsoleRequest } from '../contract/console.ts';
import type { ExecProcess, ExecRequest } from '../contract/exec.ts';
import type { LiveFacts } from '../contract/live.ts';
import type {
  DeviceTarget,
  Ending,
  FileRequest,
  FilesTarget,
  FileWork,
  Init,
  RunHandle,
  RunSpec,
  Runtime,
} from '../contract/runtime.ts';
import { attachConsole } from './console.ts';
import { checkDevice, checkParents, limitNics } from './devices.ts';
import { attachExec } from './exec.ts';
import { openFiles } from './files.ts';
import { setGuestApiMount } from './guest-api-mount.ts';
import { namedHaltSignal } from './halt-signal.ts';
import { Hung } from './hung.ts';
import type { IdRanges } from './ids.ts';
import type { RunProcesses } from './init.ts';
import { readLive } from './live.ts';
import {
  attachDevice,
  attachMissingDevice,
  detachDevice,
  foreseeDevice,
  type Place,
  updateDevice,
  withdrawDevice,
} from './live-devices.ts';
import { checkLimits, setLimits } from './live-limits.ts';
import type { LxcfsState } from './lxcfs.ts';
import { MountWork } from './mount-work.ts';
import type { LxcOptions } from './options.ts';
import { type InstancePaths, instancePaths } from './paths.ts';
import { askToHalt } from './processes.ts';
import { removeFiles } from './removal.ts';
import { setRunningSize } from './root-place.ts';
import { RootUsage } from './root-usage.ts';
import { LxcRuns } from './runs.ts';
import { startPrepared } from './starting.ts';
import { openStoppedFiles } from './stopped-files.ts';
import { lxcVersion, setFrozen, stopContainer } from './tools.ts';
import { LxcWeights } from './weights.ts';

const SIGKILL = 9;
/** Owner of the files of a privileged instance. */
const ROOT: HostIds = { uid: 0, gid: 0 };

/** Runs instances as LXC containers, by LXC's tools. */
export class LxcRuntime implements Runtime {
  readonly driver = 'lxc';
  readonly owns = true;
  readonly weights: LxcWeights;
  readonly #options: LxcOptions;
  readonly #looks = new Looks();
  readonly #mountWork = new WeakMap<Init, MountWork>();
  readonly #monitors = new WeakMap<Init, PinnedProcess>();
  readonly #pathsOf = new WeakMap<Init, InstancePaths>();
  readonly #rootUsage = new RootUsage();
  readonly #hungTransfers = new Hung();
  readonly #end = new AbortController();
  readonly #runs: LxcRuns;
  #version: Promise<string> | undefined;

  constructor(options: LxcOptions) {
    this.#options = options;
    this.weights = new LxcWeights(options.log);
    this.#runs = new LxcRuns(options.instances, options.watch, (id, run) => this.#hold(id, run));
  }

  checkAction(): void {}

  driverVersion(): Promise<string> {
    this.#version ??= lxcVersion().then((version) => {
      // It is asked again when it has not said it.
      if (version === '') this.#version = undefined;
      return version;
    });
    return this.#version;
  }

  hostIds(config: Config): HostIds {
    return this.#idsOf(config) ?? ROOT;
  }

  /** Whether an instance that starts now sees its own memory, processors and uptime. */
  lxcfs(): Promise<LxcfsState> {
    return this.#options.lxcfs.state();
  }

  async create(id: number, config: Config): Promise<void> {
    const paths = this.#paths(id);
    const ids = this.#idsOf(config);
    await mkdir(paths.folder, { recursive: true, mode: 0o711 });
    // A folder that exists keeps its owner: from it `start` knows whether all files below need other owners.
    if ((await mkdir(paths.upper, { recursive: true })) === undefined) return;
    for (const folder of [paths.upper, paths.overlay]) await chown(folder, ids?.uid ?? 0, ids?.gid ?? 0);
  }

  remove(id: number): Promise<void> {
    this.weights.forget(id);
    return removeFiles(this.#paths(id));
  }

  async start(spec: RunSpec): Promise<RunHandle> {
    const paths = this.#paths(spec.id);
    // From here on the next daemon has to ask LXC, and to remove what is half done.
    await writeFile(paths.starting, '');
    try {
      return await this.#start(spec, paths);
    } finally {
      await rm(paths.starting, { force: true });
    }
  }

  recall({ id }: Pick<Instance, 'id'>): RunHandle | null | undefined {
    return this.#runs.recall(id);
  }

  recover({ id }: Pick<Instance, 'id'>): Promise<RunHandle | null> {
    return this.#runs.recover(id);
  }

  lastEnding(id: number): Ending | undefined {
    return this.#runs.lastEnding(id);
  }

  halt(init: Init, config: Config): void {
    void askToHalt(init, namedHaltSignal(config['raw.lxc']));
  }

  kill(init: Init): void {
    init.signal(SIGKILL);
    this.weights.letEnd(init);
  }

  setFrozen(id: number, frozen: boolean): Promise<void> {
    return setFrozen(this.#options.instances, id, frozen);
  }

  checkConfig(): void {}

  checkStart(devices: Devices): void {
    checkParents(devices);
  }

  async checkDevice(name: string, device: Device): Promise<void> {
    await checkDevice(name, device, this.#looks);
  }

  foresee(target: DeviceTarget): Promise<Addition> {
    return foreseeDevice(this.#place(target), target);
  }

  withdraw(target: DeviceTarget, { created }: Addition): Promise<void> {
    return withdrawDevice(this.#place(target), target, created);
  }

  attach(target: DeviceTarget): Promise<{ created: boolean; hostName?: string }> {
    return attachDevice(this.#place(target), target);
  }

  detach(target: DeviceTarget, options: { created: boolean; hostName?: string }): Promise<void> {
    return detachDevice(this.#place(target), target, options);
  }

  updateDevice(target: DeviceTarget, hostName: string): Promise<void> {
    return updateDevice(target, hostName);
  }

  attachMissing(target: DeviceTarget): Promise<void> {
    return attachMissingDevice(this.#place(target), target);
  }

  setGuestApiMount(init: Init, config: Config, shown: boolean): Promise<void> {
    const place = { init, owner: this.#idsOf(config) ?? ROOT, work: this.#workOf(init) };
    return setGuestApiMount(place, this.#options.devlxd, shown);
  }

  setLimits(init: Init, config: Config, keys: readonly LiveLimit[]): Promise<void> {
    return setLimits(init, config, keys);
  }

  setRootSize(id: number, bytes: number): Promise<void> {
    return setRunningSize(this.#paths(id), bytes);
  }

  exec(id: number, request: ExecRequest): Promise<ExecProcess> {
    return attachExec({ id, lxcPath: this.#options.instances, looks: this.#looks }, request);
  }

  console(id: number, init: Init, request: ConsoleRequest): Promise<ExecProcess> {
    const monitor = this.#monitors.get(init);
    if (!monitor) throw hostError('not-running');
    return attachConsole({ id, lxcPath: this.#options.instances, monitor }, request);
  }

  async files(target: FilesTarget, request: FileRequest, input: Readable | null): Promise<FileWork> {
    const { id, config, init } = target;
    const ids = this.#idsOf(config);
    if (init) {
      const givenUp = (ended: Promise<void>) => this.#hungTransfers.note(init, ended);
      return openFiles({ kind: 'running', init }, ids, request, input, givenUp);
    }
    return openStoppedFiles({ paths: this.#paths(id), ids }, target, request, input);
  }

  async live(init: Init): Promise<LiveFacts> {
    const stuck = (await this.#workOf(init).stuck()) + this.#hungTransfers.of(init);
    const paths = this.#pathsOf.get(init);
    const disk = paths && this.#rootUsage.of(init, paths);
    return {
      ...(await readLive(init, this.#options.interfaces)),
      ...(await disk),
      stuck,
      ...this.weights.live(init),
    };
  }

  stop(): void {
    this.#end.abort();
  }

  logPath(id: number): string {
    return this.#paths(id).log;
  }

  consoleFiles(id: number): ConsoleFiles {
    return this.#paths(id).console;
  }

  async #start(spec: RunSpec, paths: InstancePaths): Promise<RunHandle> {
    const ids = this.#idsOf(spec.config);
    const prepared = await startPrepared(spec, { paths, ids, looks: this.#looks, options: this.#options });
    const [found, released] = await Promise.allSettled([this.#runs.find(spec.id), prepared.released]);
    const running = found.status === 'fulfilled' ? found.value : null;
    if (!running) {
      await stopContainer(this.#options.instances, spec.id);
      throw hostError('runtime-failed', 'The instance ended as soon as it had started');
    }
    try {
      if (!hasRawLimits(spec.config)) await checkLimits(running.init, spec.config);
      await limitNics(prepared);
      if (released.status === 'rejected') throw released.reason;
    } catch (error) {
      this.kill(running.init);
      await running.ended;
      running.release();
      throw error;
    }
    return running;
  }

  #hold(id: number, { init, monitor }: RunProcesses): void {
    const paths = this.#paths(id);
    this.weights.hold(id, init, paths);
    this.#monitors.set(init, monitor);
    this.#pathsOf.set(init, paths);
    this.#mountWork.set(init, new MountWork(init, paths, this.#end.signal));
  }

  #paths(id: number): InstancePaths {
    return instancePaths(this.#options.instances, id);
  }

  #idsOf(config: Config): IdRanges | null {
    if (isTrue(config['security.privileged'], false)) return null;
    if (this.#options.ids) return this.#options.ids;
    throw hostError(
      'runtime-failed',
      'Unprivileged instances need ids: root has no range of 65536 in /etc/subuid and /etc/subgid',
    );
  }

  #place({ id, config, init }: DeviceTarget): Place {
    const ids = this.#idsOf(config);
    const [paths, work] = [this.#paths(id), this.#workOf(init)];
    const at = { lxcPath: this.#options.instances, paths, owner: ids ?? ROOT, privileged: ids === null };
    return { ...at, work, looks: this.#looks };
  }

  #workOf(init: Init): MountWork {
    const work = this.#mountWork.get(init);
    if (!work) throw hostError('not-running');
    return work;
  }
}
