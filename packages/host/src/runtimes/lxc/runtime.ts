import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { chown, lstat, mkdir } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { isTrue } from '../../core/booleans.ts';
import { hostError } from '../../core/errors.ts';
import type { Addition, Config, Device, Instance } from '../../core/model.ts';
import type { ExitWatch } from '../../native/exit-watch.ts';
import type { ExecProcess, ExecRequest, InstanceLive } from '../../ops/api.ts';
import type {
  DeviceTarget,
  Ending,
  FileRequest,
  FilesTarget,
  FileWork,
  Init,
  RunningProcess,
  RunSpec,
  Runtime,
} from '../../ops/runtime.ts';
import { configFile } from './config-file.ts';
import { checkDisk, prepareDevices, releaseMounts } from './devices.ts';
import { attachExec } from './exec.ts';
import { openFiles } from './files.ts';
import type { IdRanges } from './ids.ts';
import { readLive } from './live.ts';
import {
  attachDevice,
  attachMissingDisk,
  detachDevice,
  foreseeDevice,
  updateDevice,
  withdrawDevice,
} from './live-devices.ts';
import { limitNic } from './network.ts';
import { shiftOwners } from './owners.ts';
import { type InstancePaths, instancePaths } from './paths.ts';
import { askToHalt } from './processes.ts';
import { LxcRuns } from './runs.ts';
import { removeTree, setFrozen, startContainer, stopContainer } from './tools.ts';
import { setWindow } from './window.ts';

const SIGKILL = 9;
/** What the LXC runtime is made with. */
export interface LxcOptions {
  /** Folder of all instances' files. */
  readonly instances: string;
  /** The guest API's folder, shown inside as /dev/lxd. */
  readonly devlxd: string;
  readonly ids: IdRanges | null;
  readonly version: string;
  readonly watch: ExitWatch;
  /** Program that LXC runs when a run is over. */
  readonly stopHook: string;
}

/** Runs instances as LXC containers, by LXC's tools. */
export class LxcRuntime implements Runtime {
  readonly driver = 'lxc';
  readonly owns = true;
  readonly driverVersion: string;
  readonly #options: LxcOptions;
  readonly #runs: LxcRuns;

  constructor(options: LxcOptions) {
    this.#options = options;
    this.#runs = new LxcRuns(options.instances, options.watch);
    this.driverVersion = options.version;
  }

  idOffset(config: Config): number {
    return this.#idsOf(config)?.uid ?? 0;
  }

  async create(id: number, config: Config): Promise<void> {
    const paths = this.#paths(id);
    const ids = this.#idsOf(config);
    await mkdir(paths.folder, { recursive: true, mode: 0o711 });
    // What is there already keeps its owner: that is how `start` knows that all that is below has to change its own.
    if ((await mkdir(paths.upper, { recursive: true })) === undefined) return;
    for (const folder of [paths.upper, paths.overlay]) await chown(folder, ids?.uid ?? 0, ids?.gid ?? 0);
  }

  async remove(id: number): Promise<void> {
    const paths = this.#paths(id);
    releaseMounts(paths.mounts);
    await removeTree(paths.folder);
  }

  async start(spec: RunSpec): Promise<RunningProcess> {
    const paths = this.#paths(spec.id);
    // From here on the next daemon has to look closer, and to take away what is half done.
    writeFileSync(paths.starting, '');
    try {
      return await this.#start(spec, paths);
    } finally {
      rmSync(paths.starting, { force: true });
    }
  }

  recall({ id }: Pick<Instance, 'id'>): RunningProcess | null | undefined {
    return this.#runs.recall(id);
  }

  recover({ id }: Pick<Instance, 'id'>): Promise<RunningProcess | null> {
    return this.#runs.recover(id);
  }

  lastEnding(id: number): Ending | undefined {
    return this.#runs.lastEnding(id);
  }

  halt(init: Init): void {
    void askToHalt(init);
  }

  kill(init: Init): void {
    init.signal(SIGKILL);
  }

  setFrozen(id: number, frozen: boolean): Promise<void> {
    return setFrozen(this.#options.instances, id, frozen);
  }

  checkConfig(): void {}

  checkDevice(_name: string, device: Device): void {
    if (device['type'] === 'disk' && device['path'] !== '/') checkDisk(device, this.#options.ids);
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
    return attachMissingDisk(this.#place(target), target);
  }

  setWindow(init: Init, config: Config, shown: boolean): Promise<void> {
    return setWindow(init, this.#owner(config), this.#options.devlxd, shown);
  }

  exec(id: number, request: ExecRequest): Promise<ExecProcess> {
    return attachExec({ id, lxcPath: this.#options.instances }, request);
  }

  async files(target: FilesTarget, request: FileRequest, input: Readable | null): Promise<FileWork> {
    const { id, config, init, lower } = target;
    const paths = this.#paths(id);
    const ids = this.#idsOf(config);
    if (init) return openFiles({ kind: 'running', init }, ids, request, input);
    await this.#adoptOwners(paths, ids?.uid ?? 0);
    return openFiles({ kind: 'stopped', lower, upper: paths.upper }, ids, request, input);
  }

  live(init: Init): Promise<Omit<InstanceLive, 'status'>> {
    return readLive(init);
  }

  logPath(id: number): string {
    return this.#paths(id).log;
  }

  async #start(spec: RunSpec, paths: InstancePaths): Promise<RunningProcess> {
    const ids = this.#idsOf(spec.config);
    await this.#adoptOwners(paths, ids?.uid ?? 0);
    releaseMounts(paths.mounts);
    rmSync(paths.log, { force: true });
    rmSync(paths.ending, { force: true });
    rmSync(paths.run, { force: true });
    // Commands that a daemon which was killed has left.
    rmSync(paths.execs, { recursive: true, force: true });
    const prepared = prepareDevices(spec.devices, paths, ids);
    try {
      const window = { source: this.#options.devlxd, target: '/dev/lxd', isFolder: true };
      const mounts = [
        ...(spec.devlxd ? [{ ...window, readonly: true, recursive: false }] : []),
        ...prepared.mounts,
      ];
      const { stopHook } = this.#options;
      const text = configFile({
        spec: { ...spec, devices: prepared.devices },
        paths,
        ids,
        mounts,
        deviceNumbers: ids ? [] : prepared.numbers,
        stopHook,
      });
      writeFileSync(paths.config, text, { mode: 0o600 });
      await startContainer(this.#options.instances, spec.id, paths.config, paths.log);
    } finally {
      releaseMounts(paths.mounts);
    }
    const running = await this.#runs.find(spec.id, prepared.hostNames).catch(() => null);
    if (!running) {
      await stopContainer(this.#options.instances, spec.id);
      throw hostError('runtime-failed', 'The instance ended as soon as it had started');
    }
    try {
      for (const [name, hostName] of Object.entries(prepared.hostNames)) {
        await limitNicIfAny(hostName, prepared.devices[name] ?? {});
      }
    } catch (error) {
      this.kill(running.init);
      await running.ended;
      running.release();
      throw error;
    }
    return running;
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

  #owner(config: Config) {
    const ids = this.#idsOf(config);
    return { uid: ids?.uid ?? 0, gid: ids?.gid ?? 0 };
  }

  #place(target: DeviceTarget) {
    const { id, config } = target;
    const owner = this.#owner(config);
    return { lxcPath: this.#options.instances, paths: this.#paths(id), owner, privileged: owner.uid === 0 };
  }

  /** The instance may have been made privileged, or unprivileged, since its last run. */
  async #adoptOwners(paths: InstancePaths, offset: number): Promise<void> {
    const { uid } = await lstat(paths.overlay);
    if (uid !== offset) shiftOwners(paths.overlay, uid, offset);
  }
}

async function limitNicIfAny(hostName: string, device: Device): Promise<void> {
  if (Object.keys(device).some((option) => option.startsWith('limits.'))) await limitNic(hostName, device);
}

/** Makes the folders that all instances share. */
export function prepareFolders(options: Pick<LxcOptions, 'instances' | 'devlxd'>): void {
  for (const folder of [options.instances, options.devlxd]) mkdirSync(folder, { recursive: true });
  if (!statSync(options.devlxd).isDirectory()) throw new Error(`${options.devlxd} is not a folder`);
}
