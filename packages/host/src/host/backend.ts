import type { Alias, Image, Instance, Profile } from '../core/entities.ts';
import type { Upload } from '../images/upload.ts';
import type {
  ExecSession,
  InstanceCheck,
  InstanceFields,
  InstanceInfo,
  InstanceLive,
  InstancePatch,
  NewFile,
  NewInstance,
  StateRequest,
} from '../instances/requests.ts';
import type { ImageFields, ImageInfo, UploadOptions } from '../library/requests.ts';
import type { HostEvent, HostJournal, Requestor } from '../model/events.ts';
import type { Operation } from '../model/operation.ts';
import type { OperationSpec } from '../model/operations.ts';
import type { Precondition } from '../model/precondition.ts';
import type { ProfileInfo } from '../profiles/profile-info.ts';
import type { ConsoleFiles, ConsoleRequest } from '../runtimes/contract/console.ts';
import type { ExecRequest } from '../runtimes/contract/exec.ts';
import type { FileFacts, FoundFile } from '../runtimes/contract/files.ts';
import type { FleetCases, MembershipCases } from './fleet-cases.ts';

/**
 * The functions of the daemon that the host API uses. Functions that return an Operation check what can be
 * checked at once and throw a CodedError of `core/host-errors.ts`; a later failure ends up in the operation's
 * `err`.
 */
export interface HostBackend {
  readonly instances: InstanceCases;
  readonly files: FileCases;
  readonly profiles: ProfileCases;
  readonly images: ImageCases;
  readonly operations: OperationCases;
  readonly backups: BackupCases;
  readonly server: ServerFacts;
  readonly journal: HostJournal;
  /** The fleet that this daemon is a member of; null on a single host. */
  readonly fleet: FleetCases | null;
  readonly membership: MembershipCases;
  /** Calls back for each later event; returns a function that ends this. */
  subscribe(listener: (event: HostEvent) => void): () => void;
}

/** Facts for GET /1.0 and `porthole info`. */
export interface ServerFacts {
  readonly version: string;
  readonly name: string;
  readonly pid: number;
  readonly stateDir: string;
  readonly driver: string;
  driverVersion(): Promise<string>;
  readonly architecture: string;
  readonly kernelVersion: string;
  readonly osName: string;
  readonly osVersion: string;
  /** How callers are identified: `pidfd` or `proc`. */
  readonly identification: string;
  /** Names of the host's bridges, sorted. @throws runtime-failed */
  bridges(): Promise<readonly string[]>;
  /** Whether the fast lane answers plain requests now: `on`, or why not: `off`, `unsupported`, `failed`. */
  readonly fastLane: () => string;
  /**
   * Whether an instance that starts now sees its own memory, processors and uptime: `on`, or why not: `off`, `absent`,
   * `failed`.
   */
  lxcfs(): Promise<string>;
  /** Names of the machines of systemd-nspawn that the daemon adopts because of their own settings, sorted. */
  readonly machines: () => readonly string[];
}

export interface InstanceCases {
  list(): readonly InstanceInfo[];
  /** @throws instance-not-found */
  get(name: string): InstanceInfo;
  live(name: string): Promise<InstanceLive>;
  create(input: NewInstance, by: Requestor): Operation;
  update(name: string, fields: InstanceFields, by: Requestor, check?: InstanceCheck): Operation;
  /** Merges; a config value or device that is set to null is removed. */
  patch(name: string, part: InstancePatch, by: Requestor, check?: Precondition<Instance>): Promise<void>;
  rename(name: string, to: string, by: Requestor): Operation;
  delete(name: string, by: Requestor): Operation;
  setState(name: string, request: StateRequest, by: Requestor): Operation;
  /** Of all instances to which the action applies. */
  setStates(request: Omit<StateRequest, 'pid'>, by: Requestor): Operation;
  exec(name: string, request: ExecRequest, by: Requestor): ExecSession;
  /** @throws not-running, not-ours */
  console(name: string, request: ConsoleRequest): ExecSession;
  /** Paths of what an instance has printed on its console; publishes an event that it is read or emptied. */
  consoleFiles(name: string, told: 'retrieved' | 'reset'): ConsoleFiles;
  /** Path of the runtime's log file of an instance; publishes an event that it is read. */
  log(name: string, by: Requestor): string;
}

export interface ProfileCases {
  list(): readonly ProfileInfo[];
  get(name: string): ProfileInfo;
  create(profile: Profile, by: Requestor): Promise<void>;
  /** Replaces description, config and devices; when it settles, running instances have the change, too. */
  update(
    name: string,
    fields: Pick<Profile, 'description' | 'config' | 'devices'>,
    by: Requestor,
    check?: Precondition<Profile>,
  ): Promise<void>;
  rename(name: string, to: string, by: Requestor): Promise<void>;
  delete(name: string, by: Requestor): Promise<void>;
}

export interface ImageCases {
  list(): readonly ImageInfo[];
  /** By full fingerprint or unambiguous prefix. @throws image-not-found, image-ambiguous */
  get(fingerprint: string): ImageInfo;
  /**
   * Reads the whole upload, then answers with an operation that ends with metadata `fingerprint` and `size`.
   * A failure to read, check or hash makes the operation fail, and nothing is left.
   */
  import(upload: Upload, options: UploadOptions, by: Requestor): Promise<Operation>;
  update(fingerprint: string, fields: ImageFields, by: Requestor, check?: Precondition<Image>): Promise<void>;
  /** Operator-only: marks an image as cached, which no LXD client can (Porthole addition). */
  setCached(fingerprint: string, cached: boolean, by: Requestor): Promise<void>;
  delete(fingerprint: string, by: Requestor): Operation;
  /** Makes sure that an image's files are here: another member of the fleet may have them. */
  ensure(fingerprint: string): Promise<void>;
  /** Paths of the image's files, metadata first when split; emits `image-retrieved`. */
  export(fingerprint: string, by: Requestor): { image: Image; paths: readonly string[] };
  aliases(): readonly Alias[];
  alias(name: string): Alias;
  createAlias(alias: Alias, by: Requestor): Promise<void>;
  updateAlias(
    name: string,
    fields: Pick<Alias, 'target' | 'description'>,
    by: Requestor,
    check?: Precondition<Alias>,
  ): Promise<void>;
  renameAlias(name: string, to: string, by: Requestor): Promise<void>;
  deleteAlias(name: string, by: Requestor): Promise<void>;
}

/** Copies of the database (Porthole addition). */
export interface BackupCases {
  /** @throws CodedError backup-unreadable if the folder cannot be read, or does not answer */
  list(): Promise<BackupList>;
  /** How the last copy ended, and the settings; without a look into the folder. */
  state(): BackupState;
  /** Ends with the metadata `name` and `size`. */
  create(): Operation;
}

export interface BackupState {
  readonly folder: string;
  /** Minutes between two copies; 0: only operators make them. */
  readonly minutes: number;
  readonly count: number;
  /** Why the last copy could not be made; null if it was, or none was tried. */
  readonly failure: { readonly at: string; readonly reason: string } | null;
}

export type BackupList = BackupState & {
  /** The newest first. */
  readonly copies: readonly { readonly name: string; readonly createdAt: string; readonly bytes: number }[];
};

export interface OperationCases {
  list(): readonly Operation[];
  get(id: string): Operation;
  cancel(id: string, by: Requestor): void;
  /** Settles when the operation is final or the time is over; -1 waits without limit. */
  wait(id: string, timeoutSeconds: number): Promise<Operation>;
  /** Starts an operation for work of the host API itself. */
  run(spec: OperationSpec): Operation;
}

/**
 * Paths are resolved inside the instance and never lead out of it, also while it is stopped. Paths, names and
 * targets need not be UTF-8; `base/byte-text.ts` says how they become text then.
 */
export interface FileCases {
  /** A link at the path's end is not followed. @throws file-not-found, file-failed */
  read(name: string, path: string): Promise<FoundFile>;
  stat(name: string, path: string): Promise<FileFacts>;
  /** @throws file-not-found when the directory is missing, file-failed */
  write(name: string, path: string, file: NewFile): Promise<void>;
  /** A file, or an empty directory. */
  delete(name: string, path: string): Promise<void>;
}
