import type { Readable } from 'node:stream';
import type { ProcessName } from '../core/adopted.ts';
import type { Container } from '../core/container.ts';
import type { Config, Devices, Instance } from '../core/entities.ts';
import type { Operation } from '../model/operation.ts';
import type { ExecProcess } from '../runtimes/contract/exec.ts';
import type { FileFacts } from '../runtimes/contract/files.ts';
import type { LiveFacts } from '../runtimes/contract/live.ts';

/** An instance with its expanded config and devices and its status. */
export interface InstanceInfo {
  readonly instance: Instance;
  readonly expandedConfig: Config;
  readonly expandedDevices: Devices;
  readonly status: 'Running' | 'Ready' | 'Frozen' | 'Stopped' | 'Starting' | 'Stopping' | 'Error';
}

/** The resources that an instance uses, and its status. */
export interface InstanceLive extends LiveFacts {
  readonly status: InstanceInfo['status'];
}

/** A container of another runtime to adopt. */
export interface Adoption {
  /** Pid of its init, on the host. */
  readonly pid: number;
  /** The init, if the caller knows it: then a later process with the same pid is not adopted. */
  readonly init?: ProcessName;
  /** What the other runtime's records say. */
  readonly container?: Container;
}

export interface NewInstance {
  /** If empty, the daemon chooses one. */
  readonly name: string;
  readonly description: string;
  /** If empty, the image's, or the host's without an image. */
  readonly architecture: string;
  readonly ephemeral: boolean;
  /** If null, those of the image, or `default` if it has none. */
  readonly profiles: readonly string[] | null;
  readonly config: Config;
  readonly devices: Devices;
  readonly source:
    | { readonly type: 'image'; readonly fingerprint: string }
    | { readonly type: 'image'; readonly alias: string }
    | { readonly type: 'none' }
    /** Another runtime has started it. */
    | ({ readonly type: 'adopt' } & Adoption);
}

/** The fields of an instance that an operator can replace, without keys that have empty values. */
export interface InstanceFields {
  /** Empty, or the current one. */
  readonly architecture: string;
  readonly description: string;
  readonly ephemeral: boolean;
  readonly profiles: readonly string[];
  readonly config: Config;
  readonly devices: Devices;
}

export interface InstancePatch {
  readonly architecture?: string;
  readonly description?: string;
  readonly ephemeral?: boolean;
  readonly profiles?: readonly string[];
  readonly config?: Readonly<Record<string, string | null>>;
  readonly devices?: Readonly<Record<string, Readonly<Record<string, string>> | null>>;
}

/**
 * Checks that the instance is as the client has seen it (If-Match), and throws if not.
 * @returns which `guest.*` keys the update takes: those that the client gives, or the current ones
 */
export type InstanceCheck = (current: Instance) => 'given' | 'current';

export type StateAction = 'start' | 'stop' | 'restart' | 'freeze' | 'unfreeze';

export interface StateRequest {
  readonly action: StateAction;
  /** In seconds; -1 waits without limit, 0 kills at once. */
  readonly timeout: number;
  readonly force: boolean;
  /** For `start` of an adopted instance: the host pid of the init of its new run. */
  readonly pid?: number;
}

/** An exec whose process the host API starts once its streams are connected. */
export interface ExecSession {
  readonly operation: Operation;
  /** The environment that the process will have. */
  readonly environment: Readonly<Record<string, string>>;
  /** The single-use secret of each stream (`fds`): `control`, `0`, and, if not interactive, `1` and `2`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Starts the process, once. @throws if it cannot be started; then the operation has failed too */
  start(): Promise<ExecProcess>;
  /** Ends the operation with an error, such as `Timed out waiting for websockets to connect`. */
  fail(message: string): void;
}

export interface NewFile {
  readonly type: FileFacts['type'];
  /** Owner and mode of a new file; an existing file or directory keeps its own. */
  readonly uid: number;
  readonly gid: number;
  readonly mode: number | null;
  /** Whether to append to an existing file instead of replacing its content. */
  readonly append: boolean;
  /** Content of a file, or the target of a link. */
  readonly content: Readable;
}
