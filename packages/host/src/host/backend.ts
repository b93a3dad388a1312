import type { Readable } from 'node:stream';
import type { Alias, Config, Devices, Image, Instance, Profile } from '../core/model.ts';
import type { HostEvent, HostJournal, Requestor } from '../model/events.ts';
import type { FileCases } from '../runtimes/contract/files.ts';
import type { Operation } from '../model/operations.ts';

/**
 * What the host API can ask of the daemon. Functions that return an Operation check what can be checked
 * at once and throw a CodedError of `core/errors.ts`; the rest happens in the operation and ends in its `err`.
 */
export interface HostBackend {
  readonly instances: InstanceCases;
  readonly files: FileCases;
  readonly profiles: ProfileCases;
  readonly images: ImageCases;
  readonly operations: OperationCases;
  readonly server: ServerFacts;
  readonly journal: HostJournal;
  /** Calls back for each later event; returns the function that ends it. */
  subscribe(listener: (event: HostEvent) => void): () => void;
}

/** Facts for GET /1.0 and `porthole info`. */
export interface ServerFacts {
  readonly version: string;
  readonly name: string;
  readonly pid: number;
  readonly stateDir: string;
  readonly driver: string;
  readonly driverVersion: string;
  readonly architecture: string;
  readonly kernelVersion: string;
  readonly osName: string;
  readonly osVersion: string;
  /** How callers are identified: `pidfd` or `proc`. */
  readonly identification: string;
  /** Whether the fast lane answers plain requests now: `on`, or why not: `off`, `unsupported`, `failed`. */
  readonly fastLane: () => string;
}

/** An instance with all that depends on its profiles and on whether it runs. */
export interface InstanceInfo {
  readonly instance: Instance;
  readonly expandedConfig: Config;
  readonly expandedDevices: Devices;
  readonly status: 'Running' | 'Ready' | 'Frozen' | 'Stopped' | 'Starting' | 'Stopping' | 'Error';
}

/** What the kernel says of a running instance; numbers 0 and network null when it is stopped. */
export interface InstanceLive {
  readonly status: InstanceInfo['status'];
  readonly pid: number;
  readonly processes: number;
  /** Nanoseconds. */
  readonly cpuUsage: number;
  /** Bytes. */
  readonly memoryUsage: number;
  readonly memoryPeak: number;
  readonly diskUsage: number | null;
  readonly network: Readonly<Record<string, NetworkInterface>> | null;
}

export interface NetworkInterface {
  readonly type: string;
  readonly state: string;
  readonly mtu: number;
  readonly hwaddr: string;
  readonly hostName: string;
  readonly addresses: readonly {
    family: 'inet' | 'inet6';
    address: string;
    netmask: string;
    scope: string;
  }[];
  readonly counters: {
    bytesReceived: number;
    bytesSent: number;
    packetsReceived: number;
    packetsSent: number;
  };
}

export interface NewInstance {
  /** Empty: the daemon chooses one. */
  readonly name: string;
  readonly description: string;
  /** Empty: the image's, or the host's. */
  readonly architecture: string;
  readonly ephemeral: boolean;
  /** null: the image's, else `default`. */
  readonly profiles: readonly string[] | null;
  readonly config: Config;
  readonly devices: Devices;
  readonly source:
    | { readonly type: 'image'; readonly fingerprint: string }
    | { readonly type: 'image'; readonly alias: string }
    | { readonly type: 'none' }
    /** Some other runtime has started it: the pid of its init on the host. */
    | { readonly type: 'adopt'; readonly pid: number };
}

/** The part of an instance that an operator may replace. Empty values have been removed already. */
export interface InstanceFields {
  /** Empty keeps the current one. */
  readonly architecture: string;
  readonly description: string;
  readonly ephemeral: boolean;
  readonly profiles: readonly string[];
  readonly config: Config;
  readonly devices: Devices;
}

export type StateAction = 'start' | 'stop' | 'restart' | 'freeze' | 'unfreeze';

export interface StateRequest {
  readonly action: StateAction;
  /** Seconds; -1 waits without limit, 0 kills at once. */
  readonly timeout: number;
  readonly force: boolean;
  /** With `start`, for an adopted instance: the init of its new run. */
  readonly pid?: number;
}

/** Throws when the object that is about to change is not the one the caller has seen (If-Match). */
export type Precondition<T> = (current: T) => void;

/**
 * Throws when the instance is not the one that the caller has seen (If-Match).
 * @returns whose `guest.*` keys are to stay: those that the caller gives, or those that are there by now
 */
export type InstanceCheck = (current: Instance) => 'given' | 'current';

export interface InstanceCases {
  list(): readonly InstanceInfo[];
  /** @throws instance-not-found */
  get(name: string): InstanceInfo;
  live(name: string): Promise<InstanceLive>;
  create(input: NewInstance, by: Requestor): Operation;
  update(name: string, fields: InstanceFields, by: Requestor, check?: InstanceCheck): Operation;
  /** Merges; a config value or device set to null goes away. */
  patch(name: string, part: InstancePatch, by: Requestor, check?: Precondition<Instance>): Promise<void>;
  rename(name: string, to: string, by: Requestor): Operation;
  delete(name: string, by: Requestor): Operation;
  setState(name: string, request: StateRequest, by: Requestor): Operation;
  exec(name: string, request: ExecRequest, by: Requestor): ExecSession;
  /** Path of the runtime's log file of an instance; tells that it is read. */
  log(name: string, by: Requestor): string;
}

export interface InstancePatch {
  readonly description?: string;
  readonly ephemeral?: boolean;
  readonly profiles?: readonly string[];
  readonly config?: Readonly<Record<string, string | null>>;
  readonly devices?: Readonly<Record<string, Readonly<Record<string, string>> | null>>;
}

export interface ExecRequest {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly interactive: boolean;
  readonly width: number;
  readonly height: number;
  readonly user: number;
  readonly group: number;
  readonly cwd: string;
  /** True: streams are connected by `ExecSession.connect`. False: output is dropped (or recorded by the edge). */
  readonly waitForWebsocket: boolean;
}

/** The streams of a process inside an instance, once it runs. */
export interface ExecProcess {
  /** Bytes for its standard input, or for the pty; false: wait for `onDrain` before writing more. */
  write(data: Uint8Array): boolean;
  onDrain(listener: () => void): void;
  /** No more input; hangs up when interactive. */
  endInput(): void;
  /** Calls back with output; `fd` is 1 or 2 (1 only, when interactive). Set before anything is read. */
  onOutput(listener: (fd: 1 | 2, data: Uint8Array) => void): void;
  /** Stops and resumes reading of its output: back pressure. */
  pause(): void;
  resume(): void;
  resize(width: number, height: number): void;
  /** A signal number for the process in the instance. */
  signal(number: number): void;
  /**
   * Exit code, 128+n when a signal ended it; all output has been given before it settles.
   * @throws CodedError command-not-found, command-not-executable
   */
  readonly exited: Promise<number>;
}

/** An exec whose process starts when the edge says that its streams are there. */
export interface ExecSession {
  readonly operation: Operation;
  /** The environment that the process will have. */
  readonly environment: Readonly<Record<string, string>>;
  /** Secret of each stream, single use: `control`, `0`, and `1`, `2` when not interactive; `fds` of the operation. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Starts the process; once. @throws when it cannot be started (the operation has failed then). */
  start(): Promise<ExecProcess>;
  /** Ends the operation without the process's end, such as `Timed out waiting for websockets to connect`. */
  fail(message: string): void;
}

export interface ProfileInfo {
  readonly profile: Profile;
  /** Names of the instances that use it. */
  readonly usedBy: readonly string[];
}

export interface ProfileCases {
  list(): readonly ProfileInfo[];
  get(name: string): ProfileInfo;
  create(profile: Profile, by: Requestor): void;
  /** Replaces description, config and devices; done, also on running instances, when it settles. */
  update(
    name: string,
    fields: Pick<Profile, 'description' | 'config' | 'devices'>,
    by: Requestor,
    check?: Precondition<Profile>,
  ): Promise<void>;
  rename(name: string, to: string, by: Requestor): void;
  delete(name: string, by: Requestor): void;
}

export interface ImageInfo {
  readonly image: Image;
  readonly aliases: readonly Alias[];
}

/** An upload as it comes in; the streams are read in order, each to its end. */
export type Upload =
  | { readonly kind: 'unified'; readonly filename: string; readonly data: Readable }
  | { readonly kind: 'split'; readonly parts: AsyncIterable<UploadPart> };

export interface UploadPart {
  /** `metadata`, then `rootfs` (or `rootfs.img`, which is refused). */
  readonly name: string;
  readonly filename: string;
  readonly data: Readable;
}

export interface UploadOptions {
  readonly public: boolean;
  /** Override the metadata's properties. */
  readonly properties: Readonly<Record<string, string>>;
  readonly profiles: readonly string[] | null;
  /** Expected fingerprint; null: none. */
  readonly fingerprint: string | null;
  /** Total bytes when known (Content-Length), for progress; null otherwise. */
  readonly size: number | null;
}

export interface ImageFields {
  readonly public: boolean;
  readonly autoUpdate: boolean;
  readonly properties: Readonly<Record<string, string>>;
  readonly profiles: readonly string[];
  readonly expiresAt: string;
}

export interface ImageCases {
  list(): readonly ImageInfo[];
  /** By full fingerprint or unambiguous prefix. @throws image-not-found, image-ambiguous */
  get(fingerprint: string): ImageInfo;
  /**
   * Reads the whole upload, then answers with an operation that ends with metadata `fingerprint` and `size`.
   * A failure to read, check or hash makes the operation fail; nothing is left behind.
   */
  import(upload: Upload, options: UploadOptions, by: Requestor): Promise<Operation>;
  update(fingerprint: string, fields: ImageFields, by: Requestor, check?: Precondition<Image>): void;
  /** Operator-only: marks an image as cached, which no LXD client can (Porthole addition). */
  setCached(fingerprint: string, cached: boolean, by: Requestor): void;
  delete(fingerprint: string, by: Requestor): Operation;
  /** Paths of the image's files, metadata first when split; emits `image-retrieved`. */
  export(fingerprint: string, by: Requestor): { image: Image; paths: readonly string[] };
  aliases(): readonly Alias[];
  alias(name: string): Alias;
  createAlias(alias: Alias, by: Requestor): void;
  updateAlias(
    name: string,
    fields: Pick<Alias, 'target' | 'description'>,
    by: Requestor,
    check?: Precondition<Alias>,
  ): void;
  renameAlias(name: string, to: string, by: Requestor): void;
  deleteAlias(name: string, by: Requestor): void;
}

export interface OperationCases {
  list(): readonly Operation[];
  get(id: string): Operation;
  cancel(id: string, by: Requestor): void;
  /** Settles when the operation is final or the time is over; -1 waits without limit. */
  wait(id: string, timeoutSeconds: number): Promise<Operation>;
}
