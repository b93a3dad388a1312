import type { Readable } from 'node:stream';
import type { ProcessName } from '../../core/adopted.ts';
import type { Addition, Config, Device, Devices, Instance } from '../../core/entities.ts';
import type { HostIds } from '../../core/host-ids.ts';
import type { ExecProcess, ExecRequest } from './exec.ts';
import type { FoundFile } from './files.ts';
import type { LiveFacts } from './live.ts';

/** How a run of an instance ended: `reboot` when the instance asked to be started again. */
export type Ending = 'stop' | 'reboot';

/** The init process of a run, held by its runtime: no other process can be taken for it, whatever its pid is. */
export interface Init {
  /** On the host. */
  readonly pid: number;
  isAlive(): boolean;
  /** Sends a signal; to a process that has ended, none. */
  signal(number: number): void;
  /** A pidfd of one's own, to be closed by the caller. */
  duplicate(): number;
}

/** A running instance, as its runtime sees it. */
export interface RunHandle {
  readonly init: Init;
  /** Settles when nothing of the run is left: processes, mounts, network. */
  readonly ended: Promise<Ending>;
  /** Host side interface of each nic device. */
  readonly hostNames: Readonly<Record<string, string>>;
  /** Found frozen, such as after a restart of the daemon. */
  readonly frozen: boolean;
  /** Lets go of the run, which has ended or is to be forgotten; its init counts as ended from then on. */
  release(): void;
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
  readonly init: Init;
  readonly config: Config;
  readonly name: string;
  readonly device: Device;
}

/** The instance whose files are meant. */
export interface FilesTarget {
  readonly id: number;
  /** Expanded; that of the run when it runs. */
  readonly config: Config;
  /** null: it is stopped, and stays so until the work is over. */
  readonly init: Init | null;
  /** Folder of the unpacked image. */
  readonly lower: string;
}

/** What to do at a path inside an instance. Ids are the instance's own. */
export type FileRequest =
  | { readonly work: 'read' | 'stat' | 'remove'; readonly path: string }
  | {
      readonly work: FoundFile['type'];
      readonly path: string;
      readonly uid: number;
      readonly gid: number;
      /** null: the usual one. */
      readonly mode: number | null;
      /** Keeps what a file holds. */
      readonly append: boolean;
    };

/** A request to the files of an instance that is being carried out. */
export interface FileWork {
  /**
   * What was found there, its content to be read to its end or destroyed; empty for what only does something,
   * and settled then when that is done. @throws CodedError file-not-found, file-failed, runtime-failed
   */
  readonly found: Promise<FoundFile>;
  /** Settles when nothing of it is left; never fails. */
  readonly ended: Promise<void>;
}

/** What runs instances. All paths it makes are its own; ids are Porthole's and never reused. */
export interface Runtime {
  readonly driver: string;
  readonly driverVersion: string;
  /** Whether it starts and ends the processes of its instances; one that does not only recognises them. */
  readonly owns: boolean;
  /** Host ids of an instance's root. */
  hostIds(config: Config): HostIds;
  /** Makes the instance's own folders. */
  create(id: number, config: Config): Promise<void>;
  /** Removes all that `create` and runs have made; nothing there is fine. */
  remove(id: number): Promise<void>;
  /** Starts it; settles when its init runs. @throws CodedError runtime-failed, device-start-failed */
  start(spec: RunSpec): Promise<RunHandle>;
  /** As {@link recover}, from what was noted of the run, without waiting; undefined when that does not tell. */
  recall(instance: Pick<Instance, 'id' | 'config'>): RunHandle | null | undefined;
  /** The instance's run if it still goes on, such as after a restart of the daemon. */
  recover(instance: Pick<Instance, 'id' | 'config'>): Promise<RunHandle | null>;
  /** How the last run ended, when nobody watched; undefined when that is not known. */
  lastEnding(id: number): Ending | undefined;
  /** Asks its init to shut down. @throws CodedError not-ours */
  halt(init: Init): void;
  /** Ends all its processes at once. @throws CodedError not-ours */
  kill(init: Init): void;
  /** Refuses keys that it cannot honour. @param config expanded @throws CodedError bad-request */
  checkConfig(config: Config): void;
  /** Lets its processes not run, or run again. @throws CodedError runtime-failed */
  setFrozen(id: number, frozen: boolean): Promise<void>;
  /** Checks what needs a look at the host, such as that a disk's source is there. @throws CodedError bad-request */
  checkDevice(name: string, device: Device): Promise<void>;
  /** What {@link attach} of a device would make. Nothing is changed. */
  foresee(target: DeviceTarget): Promise<Addition>;
  /** Takes out what {@link attach} may have made of it before it was cut off, and nothing else. */
  withdraw(target: DeviceTarget, addition: Addition): Promise<void>;
  /** @returns whether a mount point was made for it, and its host side interface if it is a nic */
  attach(target: DeviceTarget): Promise<{ created: boolean; hostName?: string }>;
  detach(target: DeviceTarget, options: { created: boolean; hostName?: string }): Promise<void>;
  /** Applies limits that can change while it runs. */
  updateDevice(target: DeviceTarget, hostName: string): Promise<void>;
  /** Adds a disk to a running instance, unless it is there. */
  attachMissing(target: DeviceTarget): Promise<void>;
  /** Makes /dev/lxd inside be there exactly once, or not at all. */
  setGuestApiMount(init: Init, config: Config, shown: boolean): Promise<void>;
  exec(id: number, request: ExecRequest): Promise<ExecProcess>;
  /**
   * Works on the instance's files with the rights of its root: nothing outside can be reached.
   * @param input content of a file, or the target of a link
   */
  files(target: FilesTarget, request: FileRequest, input: Readable | null): Promise<FileWork>;
  live(init: Init): Promise<LiveFacts>;
  /** Its log of an instance; null when it keeps none. */
  logPath(id: number): string | null;
}

/** Recognises instances that some other runtime has started. */
export interface Adopter extends Runtime {
  /** Names a process that runs. @throws CodedError bad-request when there is none */
  nameOf(pid: number): ProcessName;
}

/** The runtime of an instance. @param config the instance's own, or expanded */
export type RuntimeOf = (config: Config) => Runtime;
