import type { Caller } from '../core/caller.ts';
import type { GuestView } from '../core/view.ts';
import type { Limits } from '../http/connection-limits.ts';
import type { FrontEndStop } from '../http/front-end.ts';
import type { Share } from '../http/slots.ts';
import type { RegisteredRun } from '../peer/registry.ts';

/**
 * A run, without the handle on its init: the registry holds that until the lane has forgotten the run, and with it
 * the PID namespace, so the namespace's number means no other as long as the lane knows it.
 */
export type RunIdentity = Omit<RegisteredRun, 'init'>;

/** What the main thread tells the lane; applied in order, each acknowledged in {@link DONE}. */
export type Order =
  | { readonly kind: 'run'; readonly facts: RunIdentity; readonly view: GuestView | undefined }
  | { readonly kind: 'over'; readonly instanceId: number }
  | { readonly kind: 'views'; readonly views: readonly GuestView[] }
  | { readonly kind: 'close-instance'; readonly instanceId: number }
  | { readonly kind: 'serve'; readonly listening: number }
  | { readonly kind: 'starting'; readonly on: boolean }
  | { readonly kind: 'take-over'; readonly connections: readonly number[] }
  | { readonly kind: 'taken'; readonly share: Share }
  | { readonly kind: 'release'; readonly share: Share }
  | ({ readonly kind: 'stop' } & FrontEndStop);

/** What is left of a connection when it is handed over. */
export interface HandedRest {
  readonly unread: Uint8Array;
  readonly unsent: Uint8Array;
  readonly last: boolean;
}

/** A connection that is left to the server behind. */
export interface HandedReport extends HandedRest {
  readonly kind: 'handed-over';
  readonly fd: number;
  readonly caller: Caller;
  /** How many orders had been applied when it was handed over. */
  readonly applied: number;
}

/** What the lane tells the main thread. */
export type Report =
  | HandedReport
  /** Connections that are kept for the next server. */
  | { readonly kind: 'kept'; readonly connections: readonly number[] }
  | { readonly kind: 'accept-failed' }
  | { readonly kind: 'fault'; readonly error: string; readonly caller: Caller };

/** What the lane's thread is started with. */
export interface LaneStart {
  /** Slots as named below. */
  readonly shared: Int32Array;
  /** 1 for each descriptor of a connection that only the lane knows of. */
  readonly owned: Uint8Array;
  /** Readable when there are orders. */
  readonly wake: number;
  readonly limits: Limits;
  /** Descriptors are numbers below this. */
  readonly openFilesMax: number;
}

/** Slot of `shared`: how many orders have been applied. */
export const DONE = 0;
/** How many connections the newest `close-instance` has ended. */
export const CLOSED = 1;
/** Open connections of the lane. */
export const OPEN = 2;
export const SHARED_SLOTS = 3;

/** As many descriptors as a process can have (fs.nr_open). */
export const OWNED_BYTES = 1_048_576;
