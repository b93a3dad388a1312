import type { Keys, KeyValue } from './requests.ts';

/** A change of a key. */
export interface WatchEvent {
  readonly type: 'put' | 'delete';
  /** For `delete`: the key, and the revision of its removal as `modRevision`. */
  readonly kv: KeyValue;
  /** If asked for by `prevKv`; absent if the key was new, or if etcd has compacted it. */
  readonly prevKv?: KeyValue;
}

/** Why a watch has ended. */
export type WatchEnd =
  /** Events before `revision` are lost: the caller loads everything again. */
  | { readonly reason: 'compacted'; readonly revision: number }
  /** The connection ended or fell silent, or the node lost its leader. A new watch can go on. */
  | { readonly reason: 'cut-off'; readonly error: Error }
  /** etcd refused it: a new watch would be refused too. */
  | { readonly reason: 'refused'; readonly error: Error }
  /** By `close` or the signal. */
  | { readonly reason: 'closed' };

/**
 * What is watched, and who is told. Callbacks are called in the order of revisions, never after `onEnd`; the first ones
 * perhaps before `watch` has resolved.
 */
export type WatchRequest = Keys & {
  /** The first revision of interest; without it, the first after the watch was created. */
  readonly startRevision?: number;
  readonly prevKv?: boolean;
  /**
   * etcd tells the revision to `onProgress` when nothing happens: each 10 minutes, or what its flag
   * `--experimental-watch-progress-notify-interval` says.
   */
  readonly progressNotify?: boolean;
  /**
   * How long a connection may be silent; then it counts as cut off. The client asks for a sign of life four times in this
   * time. 6 s by default.
   */
  readonly silenceMs?: number;
  /** It is closed when it aborts. */
  readonly signal?: AbortSignal;
  /** All events of one revision at once. */
  onEvents(events: readonly WatchEvent[], revision: number): void;
  /** All events up to this revision have been delivered. */
  onProgress?(revision: number): void;
  /** Called once, at last. */
  onEnd(end: WatchEnd): void;
};

/** A watch that etcd has acknowledged. */
export interface Watch {
  /** etcd's revision when it acknowledged the watch. */
  readonly createdRevision: number;
  /** The endpoint that it is connected to. */
  readonly endpoint: string;
  /** Ends it; harmless when it has ended. */
  close(): void;
}
