/** How much of the server a client may use, and for how long. All can be set; these are the defaults. */
export interface Limits {
  /** Request line and headers together. */
  readonly headBytes: number;
  /** Request body, without chunk framing. */
  readonly bodyBytes: number;
  /** Time from the first byte of a request to the last byte of its body. */
  readonly requestTimeoutMs: number;
  /** How long a connection may stay silent between requests. */
  readonly idleTimeoutMs: number;
  /** A client that takes no byte of its answer for this long is cut off. */
  readonly stallTimeoutMs: number;
  /**
   * How long the server waits for the client to hang up after the last answer, so that it can read all of it.
   */
  readonly lingerTimeoutMs: number;
  /** Open connections of one key (one instance). */
  readonly connectionsPerKey: number;
  /** Open connections of all keys together, beyond those that each key is guaranteed. */
  readonly connectionsTotal: number;
}

/** Enough for long key names and many headers. LXD takes 1 MiB, which is fine only for trusted clients. */
export const HEAD_BYTES_MAX = 64 * 1024;
/** A client that sends more is cut off. Only `KEPT_BODY_BYTES_MAX` of a body are kept. */
export const BODY_BYTES_MAX = 1024 * 1024;
/**
 * Bytes of a body that are kept; the rest is counted and dropped. The largest meaningful body is a one-line
 * JSON object, and all connections of an instance may send one at the same time.
 */
export const KEPT_BODY_BYTES_MAX = 16 * 1024;
/** Lines of one folded header. Folding has long been obsolete. */
export const FOLDED_LINES_MAX = 64;
/** The same as in LXD. */
const REQUEST_TIMEOUT_MS = 3_000;
/** The same as in LXD. */
const IDLE_TIMEOUT_MS = 30_000;
const STALL_TIMEOUT_MS = 30_000;
const LINGER_TIMEOUT_MS = 500;
/** Old cloud-init leaves one idle connection open per config key: a hundred is normal, more is an attack. */
const CONNECTIONS_PER_KEY_MAX = 256;
/** Below the usual hard limit of 20,000 open files: it leaves some for images, instances and the host API. */
const CONNECTIONS_TOTAL_MAX = 12_288;
/** Connections of root that each key is guaranteed: they count toward no total, so others cannot use them. */
export const SURE_PER_KEY = 4;
/**
 * Connections of an instance's other users. They get nothing but refusals, so they may hold only a part of
 * the instance's connections.
 */
export const OTHERS_PER_KEY_MAX = 32;
/** Open connections of one user that is in no instance: enough for an operator who looks at the answers. */
export const UNKNOWN_CALLERS_PER_KEY_MAX = 16;
/** Open connections of all users that are in no instance. */
export const UNKNOWN_CALLERS_TOTAL_MAX = 256;
/** Descriptors that are kept free for guaranteed connections, and for everything else, when few are left. */
const DESCRIPTORS_KEPT = 4096;
/** Refused connections of one key that get time to read the reason; further ones are closed at once. */
export const REFUSED_PER_KEY_MAX = 32;
/** The same as `REFUSED_PER_KEY_MAX`, for all keys together. */
export const REFUSED_TOTAL_MAX = 512;
/** How long a connection is served before it is the turn of others, of the same owner or of another. */
export const PIECE_MS = 0.25;
/** Characters of answers to pipelined requests that are gathered into one write. */
export const WRITE_GATHERED_MAX = 64 * 1024;
/**
 * Bytes of answers that the clients of one instance have not taken yet: enough for a large value on each of
 * its connections. A client whose answer exceeds this is cut off.
 */
export const UNTAKEN_BYTES = {
  each: 16 * 1024 * 1024,
  sure: 1024 * 1024,
  common: 128 * 1024 * 1024,
} as const;
/** When the server stops, a connection that has not asked anything yet has this long to do so. */
export const UNASKED_GRACE_MS = 100;

/**
 * Silent connections that are left to the next server: their numbers have to fit into an environment
 * variable.
 */
export const LEFT_CONNECTIONS_MAX = 12_288;

export const DEFAULT_LIMITS: Limits = {
  headBytes: HEAD_BYTES_MAX,
  bodyBytes: BODY_BYTES_MAX,
  requestTimeoutMs: REQUEST_TIMEOUT_MS,
  idleTimeoutMs: IDLE_TIMEOUT_MS,
  stallTimeoutMs: STALL_TIMEOUT_MS,
  lingerTimeoutMs: LINGER_TIMEOUT_MS,
  connectionsPerKey: CONNECTIONS_PER_KEY_MAX,
  connectionsTotal: CONNECTIONS_TOTAL_MAX,
};

/** A descriptor from this number on means that few are left: the kernel gives out the smallest free one. */
export function scarceFrom(openFilesMax: number): number {
  return Math.max(openFilesMax - DESCRIPTORS_KEPT, openFilesMax / 2);
}

/** Bounds of the pause between two sweeps, and so of how exact timeouts are. */
const SWEEP_MS_MIN = 10;
const SWEEP_MS_MAX = 250;

/** Milliseconds between two sweeps for overdue connections: a quarter of the shortest timeout. */
export function sweepMs(limits: Limits): number {
  const { requestTimeoutMs, idleTimeoutMs, stallTimeoutMs, lingerTimeoutMs } = limits;
  const shortest = Math.min(requestTimeoutMs, idleTimeoutMs, stallTimeoutMs, lingerTimeoutMs);
  return Math.min(SWEEP_MS_MAX, Math.max(SWEEP_MS_MIN, shortest / 4));
}
