import type { Readable } from 'node:stream';
import type { Config, Devices, Instance } from '../core/entities.ts';
import type { Operation } from '../model/operation.ts';
import type { ExecProcess } from '../runtimes/contract/exec.ts';
import type { FileFacts } from '../runtimes/contract/files.ts';
import type { LiveFacts } from '../runtimes/contract/live.ts';

/** An instance with all that depends on its profiles and on whether it runs. */
export interface InstanceInfo {
  readonly instance: Instance;
  readonly expandedConfig: Config;
  readonly expandedDevices: Devices;
  readonly status: 'Running' | 'Ready' | 'Frozen' | 'Stopped' | 'Starting' | 'Stopping' | 'Error';
}

/** What an instance uses, and what it does now. */
export interface InstanceLive extends LiveFacts {
  readonly status: InstanceInfo['status'];
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

export interface InstancePatch {
  readonly description?: string;
  readonly ephemeral?: boolean;
  readonly profiles?: readonly string[];
  readonly config?: Readonly<Record<string, string | null>>;
  readonly devices?: Readonly<Record<string, Readonly<Record<string, string>> | null>>;
}

/**
 * Throws when the instance is not the one that the caller has seen (If-Match).
 * @returns whose `guest.*` keys are to stay: those that the caller gives, or those that are there by now
 */
export type InstanceCheck = (current: Instance) => 'given' | 'current';

export type StateAction = 'start' | 'stop' | 'restart' | 'freeze' | 'unfreeze';

export interface StateRequest {
  readonly action: StateAction;
  /** Seconds; -1 waits without limit, 0 kills at once. */
  readonly timeout: number;
  readonly force: boolean;
  /** With `start`, for an adopted instance: the init of its new run. */
  readonly pid?: number;
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

export interface NewFile {
  readonly type: FileFacts['type'];
  /** For what is new: a file or directory that is there keeps its owner and mode. */
  readonly uid: number;
  readonly gid: number;
  readonly mode: number | null;
  /** Adds to a file that is there, instead of replacing what it holds. */
  readonly append: boolean;
  /** Content of a file, or the target of a link. */
  readonly content: Readable;
}
