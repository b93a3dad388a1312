import type { Caller } from '../core/caller.ts';
import type { NewProcesses } from '../core/new-processes.ts';
import type { GuestView } from '../core/view.ts';
import type { Limits } from '../http/connection-limits.ts';
import type { FrontEndStop } from '../http/front-end.ts';
import type { Share } from '../http/slots.ts';
import type { RegisteredRun } from '../peer/registry.ts';

/**
 * A run without the handle on its init. The registry keeps that handle, and with it the PID namespace, until
 * the lane has forgotten the run. So the namespace's number means no other namespace while the lane knows it.
 */
export type RunIdentity = Omit<RegisteredRun, 'init'>;

/** Orders from the main thread to the lane; applied in order, each acknowledged in {@link DONE}. */
export type Order =
  | { readonly kind: 'run'; readonly facts: RunIdentity; readonly view: GuestView | undefined }
  | { readonly kind: 'over'; readonly instanceId: number }
  | { readonly kind: 'views'; readonly views: readonly GuestView[] }
  /** Views of a large change, which do not count before the next `swap`. */
  | { readonly kind: 'prepare'; readonly views: readonly GuestView[] }
  /** The prepared views count from now on, and these: all at once. */
  | { readonly kind: 'swap'; readonly views: readonly GuestView[] }
  | { readonly kind: 'forget' }
  /** The daemon is at rest: garbage is freed, or the empty pages that the last time has left. */
  | { readonly kind: 'free'; readonly what: 'garbage' | 'pages' }
  | { readonly kind: 'close-instance'; readonly instanceId: number }
  | { readonly kind: 'serve'; readonly listening: number }
  | { readonly kind: 'starting'; readonly on: boolean }
  | { readonly kind: 'patient'; readonly on: boolean }
  | { readonly kind: 'take-over'; readonly connections: readonly number[] }
  | { readonly kind: 'taken'; readonly share: Share }
  | { readonly kind: 'release'; readonly share: Share }
  | ({ readonly kind: 'stop' } & FrontEndStop);

/** The rest of a connection that is handed over. */
export interface HandedRest {
  readonly unread: Uint8Array;
  readonly unsent: Uint8Array;
  readonly last: boolean;
}

/** A connection that is handed over to the main server. */
export interface HandedReport extends HandedRest {
  readonly kind: 'handed-over';
  readonly fd: number;
  readonly caller: Caller;
  /** How many orders were applied before it was handed over. */
  readonly applied: number;
}

/** Reports from the lane to the main thread. */
export type Report =
  | HandedReport
  /** Connections that are kept for the next server. */
  | { readonly kind: 'kept'; readonly connections: readonly number[] }
  | { readonly kind: 'accept-failed' }
  /** While many new processes connect, some forty times a second. */
  | { readonly kind: 'new-processes'; readonly found: NewProcesses }
  | { readonly kind: 'fault'; readonly error: string; readonly caller: Caller };

/** The data that the lane's thread is started with. */
export interface LaneStart {
  /** Slots as named below. */
  readonly shared: Int32Array;
  /** 1 for each descriptor of a connection that only the lane knows. */
  readonly owned: Uint8Array;
  /** An eventfd that is readable when there are orders. */
  readonly wake: number;
  readonly limits: Limits;
  /** Whether new processes are to be reported. */
  readonly findsStorms: boolean;
  /** All descriptors are below this number. */
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
const OWNED_BYTES = 1_048_576;

/** The bytes of `owned`: they take memory only where something is written, because V8 fills no buffer that may grow. */
export function ownedBytes(): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(OWNED_BYTES, { maxByteLength: OWNED_BYTES }), 0, OWNED_BYTES);
}
