import type { Config, Device, Devices } from '../core/model.ts';
import type { ExecProcess, ExecRequest, InstanceLive } from './api.ts';

/** How a run of an instance ended: `reboot` when the instance asked to be started again. */
export type Ending = 'stop' | 'reboot';

/** A running instance, as its runtime sees it. */
export interface RunningProcess {
  /** Its init process, on the host. */
  readonly pid: number;
  /** Settles when nothing of the run is left: processes, mounts, network. */
  readonly ended: Promise<Ending>;
  /** Host side interface of each nic device. */
  readonly hostNames: Readonly<Record<string, string>>;
}

/** What an instance needs in order to run. */
export interface RunSpec {
  readonly id: number;
  readonly name: string;
  /** Expanded. */
  readonly config: Config;
  /** Expanded; each nic with its `name` and `hwaddr`. */
  readonly devices: Devices;
  /** Folder of the unpacked image, shared by all instances made from it. */
  readonly lower: string;
  /** Show the guest API inside. */
  readonly devlxd: boolean;
}

/** A running instance and which device of it is meant. */
export interface DeviceTarget {
  readonly id: number;
  readonly pid: number;
  readonly config: Config;
  readonly name: string;
  readonly device: Device;
}

/** What runs instances. All paths it makes are its own; ids are Porthole's and never reused. */
export interface Runtime {
  readonly driver: string;
  readonly driverVersion: string;
  /** Host id of an instance's uid 0; 0 when it is privileged. */
  idOffset(config: Config): number;
  /** Makes the instance's own folders. */
  create(id: number, config: Config): Promise<void>;
  /** Removes all that `create` and runs have made; nothing there is fine. */
  remove(id: number): Promise<void>;
  /** Starts it; settles when its init runs. @throws CodedError runtime-failed, device-start-failed */
  start(spec: RunSpec): Promise<RunningProcess>;
  /** The instance's run if it still goes on, such as after a restart of the daemon. */
  recover(id: number): Promise<RunningProcess | null>;
  /** How the last run ended, when nobody watched; undefined when that is not known. */
  lastEnding(id: number): Ending | undefined;
  /** Asks its init to shut down. */
  halt(pid: number): void;
  /** Ends all its processes at once. */
  kill(pid: number): void;
  /** Checks what needs a look at the host, such as that a disk's source is there. @throws CodedError bad-request */
  checkDevice(name: string, device: Device): void;
  /** @returns whether a mount point was made for it, and its host side interface if it is a nic */
  attach(target: DeviceTarget): Promise<{ created: boolean; hostName?: string }>;
  detach(target: DeviceTarget, options: { created: boolean; hostName?: string }): Promise<void>;
  /** Applies limits that can change while it runs. */
  updateDevice(target: DeviceTarget, hostName: string): Promise<void>;
  /** Whether something is mounted at an absolute path inside. */
  isMounted(pid: number, path: string): boolean;
  /** Makes /dev/lxd inside be there exactly once, or not at all. */
  setWindow(pid: number, config: Config, shown: boolean): Promise<void>;
  exec(id: number, request: ExecRequest): Promise<ExecProcess>;
  live(id: number, pid: number): Promise<Omit<InstanceLive, 'status'>>;
  logPath(id: number): string;
}
