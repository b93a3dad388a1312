import type { Readable } from 'node:stream';
import type { ProcessName } from '../../core/adopted.ts';
import type { Addition, Config, Device, Devices, Instance } from '../../core/entities.ts';
import type { HostIds } from '../../core/host-ids.ts';
import type { LiveLimit } from '../../core/limits.ts';
import type { ConsoleFiles, ConsoleRequest } from './console.ts';
import type { ExecProcess, ExecRequest } from './exec.ts';
import type { FoundFile } from './files.ts';
import type { LiveFacts } from './live.ts';

/** How a run of an instance ended: `reboot` when the instance asked to be started again. */
export type Ending = 'stop' | 'reboot';

/** The init process of a run, held by its runtime: a later process with its pid is not mistaken for it. */
export interface Init {
  /** On the host. */
  readonly pid: number;
  isAlive(): boolean;
  /** Sends a signal; does nothing when the process has ended. */
  signal(number: number): void;
  /** Another pidfd of the process, to be closed by the code that asks for it. */
  duplicate(): number;
}

/** A running instance, as its runtime sees it. */
export interface RunHandle {
  readonly init: Init;
  /** Settles when nothing of the run is left: processes, mounts, network. */
  readonly ended: Promise<Ending>;
  /** Host side interface of each nic device at the start of the run. */
  readonly hostNames: Readonly<Record<string, string>>;
  /** Whether it was frozen when it was found, such as after a restart of the daemon. */
  readonly frozen: boolean;
  /** Lets go of a run that has ended or is to be forgotten; after that its init counts as ended. */
  release(): void;
}

/** The facts that a runtime needs to run an instance. */
export interface RunSpec {
  readonly id: number;
  readonly name: string;
  /** Expanded. */
  readonly config: Config;
  /** Expanded; each nic with its `name` and `hwaddr`. */
  readonly devices: Devices;
  /** Folder of the unpacked image, shared by all instances made from it. */
  readonly lower: string;
  /** Whether the guest API is mounted inside. */
  readonly devlxd: boolean;
  /** Whether the runtime puts the instance's name into its /etc/hostname; false if a template of the image does. */
  readonly namesHost: boolean;
}

/** A running instance and one of its devices. */
export interface DeviceTarget {
  readonly id: number;
  readonly init: Init;
  readonly config: Config;
  readonly name: string;
  readonly device: Device;
}

/** The instance whose files a request is about. */
export interface FilesTarget {
  readonly id: number;
  /** Expanded; the config of the run if the instance runs. */
  readonly config: Config;
  /** null: the instance is stopped, and stays stopped until the work is over. */
  readonly init: Init | null;
  /** Folder of the unpacked image. */
  readonly lower: string;
  /** The most that the instance may write into its root, in bytes; null without a limit. */
  readonly rootSize: number | null;
}

/** An action at a path inside an instance. Ids are those inside the instance. */
export type FileRequest =
  | { readonly work: 'read' | 'stat' | 'remove'; readonly path: string }
  /**
   * Writes several files, with the folders above them: the input is a list of `TemplateFile` as JSON. A file
   * that is there keeps its owner and mode, a new one belongs to root. The instance must be stopped. `entries` of the
   * answer says, in a sentence for each, which files that may fail were not written, and why.
   */
  | { readonly work: 'fill'; readonly path: string }
  | {
      readonly work: FoundFile['type'];
      readonly path: string;
      readonly uid: number;
      readonly gid: number;
      /** null: the default mode. */
      readonly mode: number | null;
      /** Keeps the content that a file has. */
      readonly append: boolean;
    };

/** A request to an instance's files, while it is carried out. */
export interface FileWork {
  /**
   * The file, directory or link at the path; its content must be read to its end or destroyed. For a request
   * that only changes something it is empty, and settles when the change is done.
   * @throws CodedError file-not-found, file-failed, runtime-failed
   */
  readonly found: Promise<FoundFile>;
  /** Settles when nothing of the request is left; never fails. */
  readonly ended: Promise<void>;
}

/** A run and its instance. */
export interface FoundRun {
  readonly instanceId: number;
  readonly init: Init;
}

/** Changes for a while how much of a busy processor running instances get. */
export interface Weights {
  /**
   * The run whose processes are in a cgroup; null if it is of no instance. The kernel keeps instances in their cgroups.
   * @param cgroup its id in the unified hierarchy
   */
  find(cgroup: bigint): FoundRun | null;
  /**
   * Lowers a run's weight to a percentage of the usual weight of a cgroup. The next daemon raises it again, if this one
   * dies before it does.
   * @returns false if the run has no more weight than that, or has ended
   * @throws if the host does not allow it
   */
  lower(run: FoundRun, percent: number): Promise<boolean>;
  /** Gives a run the weight that it had before; does nothing if somebody else has changed it since, or the run has ended. */
  raise(run: FoundRun): Promise<void>;
}

/** What operators do with processes and files of an instance. `kill` is a stop without asking. */
export type RuntimeAction =
  | 'start'
  | 'stop'
  | 'kill'
  | 'restart'
  | 'freeze'
  | 'unfreeze'
  | 'exec'
  | 'console'
  | 'files';

/** Runs instances. It chooses the paths that it makes; ids come from Porthole and are never reused. */
export interface Runtime {
  readonly driver: string;
  /** Version of the software that runs the instances; empty when it is unknown. */
  driverVersion(): Promise<string>;
  /** Whether it starts and ends its instances' processes; if not, it only recognises them. */
  readonly owns: boolean;
  /** Absent if it cannot change how much of a busy processor its instances get. */
  readonly weights?: Weights;
  /**
   * Refuses an action that it leaves to the software which has started the instance, and says how to do it there.
   * @param config the instance's own, or expanded
   * @throws CodedError not-ours
   */
  checkAction(action: RuntimeAction, config: Config): void;
  /** Host ids of an instance's root. */
  hostIds(config: Config): HostIds;
  /** Makes the instance's folders. */
  create(id: number, config: Config): Promise<void>;
  /** Removes all that `create` and runs have made; not an error if there is nothing. */
  remove(id: number): Promise<void>;
  /**
   * Checks what a start needs of the host and may come late: the bridges of nics. Cheap; changes nothing.
   * @param devices expanded @throws CodedError device-parent-missing
   */
  checkStart(devices: Devices): void;
  /**
   * Starts an instance; settles when its init runs.
   * @throws CodedError runtime-failed, device-start-failed, device-parent-missing, root-too-small, root-failed
   */
  start(spec: RunSpec): Promise<RunHandle>;
  /** As {@link recover}, but from the run's note, without waiting; undefined when the note is not enough. */
  recall(instance: Pick<Instance, 'id' | 'config'>): RunHandle | null | undefined;
  /** The instance's run if it still goes on, such as after a restart of the daemon. */
  recover(instance: Pick<Instance, 'id' | 'config'>): Promise<RunHandle | null>;
  /** How the last run ended, if no daemon watched; undefined when that is not known. */
  lastEnding(id: number): Ending | undefined;
  /** Asks its init to shut down. @param config expanded; it may name the signal for that */
  halt(init: Init, config: Config): void;
  /** Ends all its processes at once. */
  kill(init: Init): void;
  /** Refuses keys that it cannot apply. @param config expanded @throws CodedError bad-request */
  checkConfig(config: Config): void;
  /** Freezes its processes, or lets them run again. @throws CodedError runtime-failed */
  setFrozen(id: number, frozen: boolean): Promise<void>;
  /** Checks what depends on the host, such as that a disk's source exists. @throws CodedError bad-request */
  checkDevice(name: string, device: Device): Promise<void>;
  /** Tells the result that {@link attach} of a device would have. Nothing is changed. */
  foresee(target: DeviceTarget): Promise<Addition>;
  /** Takes out what an interrupted {@link attach} may have made of the device, and nothing else. */
  withdraw(target: DeviceTarget, addition: Addition): Promise<void>;
  /** @returns whether a mount point was made for it, and its host side interface if it is a nic */
  attach(target: DeviceTarget): Promise<{ created: boolean; hostName?: string }>;
  detach(target: DeviceTarget, options: { created: boolean; hostName?: string }): Promise<void>;
  /** Applies the limits of a device that can change while the instance runs. */
  updateDevice(target: DeviceTarget, hostName: string): Promise<void>;
  /**
   * Adds a device to a running instance, unless it is there. A nic has the `host_name` that it had, and gets its limits
   * also if it is there.
   */
  attachMissing(target: DeviceTarget): Promise<void>;
  /** Makes sure that /dev/lxd is mounted inside exactly once, or not at all. */
  setGuestApiMount(init: Init, config: Config, shown: boolean): Promise<void>;
  /**
   * Makes limits of a running instance what its config says.
   * @param config expanded @throws CodedError limit-failed
   */
  setLimits(init: Init, config: Config, keys: readonly LiveLimit[]): Promise<void>;
  /**
   * Lets a running instance, whose root has a limit, write more into it. A lower limit may wait for the next start.
   * @param bytes the new limit @throws CodedError root-failed
   */
  setRootSize(id: number, bytes: number): Promise<void>;
  exec(id: number, request: ExecRequest): Promise<ExecProcess>;
  /**
   * Takes the console of a running instance. Its output is dropped while it is paused for long.
   * @throws CodedError console-busy
   */
  console(id: number, init: Init, request: ConsoleRequest): Promise<ExecProcess>;
  /**
   * Works on the instance's files with the rights of the instance's root: it reaches nothing outside.
   * @param input content of a file, or the target of a link
   */
  files(target: FilesTarget, request: FileRequest, input: Readable | null): Promise<FileWork>;
  live(init: Init): Promise<LiveFacts>;
  /** Path of its log of an instance; null when it keeps none. */
  logPath(id: number): string | null;
  /** Files of what the instance has printed on its console since its start; null when it keeps none. */
  consoleFiles(id: number): ConsoleFiles | null;
}

/** Recognises instances that another runtime has started. */
export interface Adopter extends Runtime {
  /** Names a running process. @throws CodedError bad-request when there is none */
  nameOf(pid: number): ProcessName;
  /** Whether a process has not ended. */
  isRunning(name: ProcessName): boolean;
  /** The uid of the user who has made the user namespace of a process. @throws bad-request when there is none */
  ownerOf(pid: number): number;
  /**
   * Mounts the guest API in a container that runs, unless it is mounted there; what else is there stays.
   * @returns whether it has mounted it
   * @throws CodedError bad-request with the reason
   */
  showGuestApi(init: ProcessName): Promise<boolean>;
  /** Unmounts what `showGuestApi` has mounted. @throws CodedError bad-request with the reason */
  hideGuestApi(init: ProcessName): Promise<void>;
}

/** The runtime of an instance. @param config the instance's own, or expanded */
export type RuntimeOf = (config: Config) => Runtime;
