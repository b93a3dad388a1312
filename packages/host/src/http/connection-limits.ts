/** What a client may take of the server, and for how long. All of it can be set; these are the defaults. */
export interface Limits {
  /** Request line and headers together. */
  readonly headBytes: number;
  /** Request body, chunk framing apart. */
  readonly bodyBytes: number;
  /** From the first byte of a request to the last of its body. */
  readonly requestTimeoutMs: number;
  /** How long a connection may stay silent between requests. */
  readonly idleTimeoutMs: number;
  /** A client that takes no byte of its answer for so long is gone. */
  readonly stallTimeoutMs: number;
  /** After the last answer: how long we wait for the client to hang up, so that it reads all of it. */
  readonly lingerTimeoutMs: number;
  /** Open connections of one key (one instance). */
  readonly connectionsPerKey: number;
  /** Open connections of all keys, beyond those that each is sure of. */
  readonly connectionsTotal: number;
}

/** Room for long key names and many headers; LXD takes 1 MiB, which only suits a client that is trusted. */
export const HEAD_BYTES_MAX = 64 * 1024;
/** A client may send so much before it is cut off; what of it is kept is `KEPT_BODY_BYTES_MAX`. */
export const BODY_BYTES_MAX = 1024 * 1024;
/**
 * Bytes of a body that are kept; the rest is counted and dropped. The largest body that means anything is a
 * one-line JSON object, and all connections of an instance may have one at the same time.
 */
export const KEPT_BODY_BYTES_MAX = 16 * 1024;
/** Lines of one header that is folded, which nobody has been allowed to send for a long time. */
export const FOLDED_LINES_MAX = 64;
/** LXD's own time for a whole request. */
const REQUEST_TIMEOUT_MS = 3_000;
/** LXD's own time for an idle connection. */
const IDLE_TIMEOUT_MS = 30_000;
const STALL_TIMEOUT_MS = 30_000;
const LINGER_TIMEOUT_MS = 500;
/** Old cloud-init leaves one idle connection per config key behind: a hundred is normal, more is an attack. */
const CONNECTIONS_PER_KEY_MAX = 256;
/** Below the usual hard limit of 20,000 open files, with room for images, instances and the host API. */
const CONNECTIONS_TOTAL_MAX = 12_288;
/** Connections of root of each key that come out of no total: nobody can use them up. */
export const SURE_PER_KEY = 4;
/** Users of an instance that are not its root get a refusal only: they may hold so much of what is the instance's. */
export const OTHERS_PER_KEY_MAX = 32;
/** Open connections of one user that is in no instance: enough for an operator who looks at what is answered. */
export const UNKNOWN_CALLERS_PER_KEY_MAX = 16;
/** The same for all such users together. */
export const UNKNOWN_CALLERS_TOTAL_MAX = 256;
/** Descriptors that are kept for connections that are sure, and for everything else, when few are left. */
const DESCRIPTORS_KEPT = 4096;
/** Refused connections of one key that are given time to read why; more are closed at once. */
export const REFUSED_PER_KEY_MAX = 32;
/** The same for all keys together. */
export const REFUSED_TOTAL_MAX = 512;
/** How long a connection is served before others of its owner, and other owners, get their turn. */
export const PIECE_MS = 0.25;
/** Answers gathered into one write while pipelined requests are answered, in characters. */
export const WRITE_GATHERED_MAX = 64 * 1024;
/**
 * Bytes of answers that the clients of one instance have not taken yet: a large value on each of its connections. A
 * client whose answer would be more is cut off.
 */
export const UNTAKEN_BYTES = {
  each: 16 * 1024 * 1024,
  sure: 1024 * 1024,
  common: 128 * 1024 * 1024,
} as const;
/** A connection that has not asked anything yet when the server stops gets this long to do so. */
export const UNASKED_GRACE_MS = 100;

/** Silent connections that are left to the next server: their numbers have to fit into one environment variable. */
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

/** From which number on a new descriptor says that few are left, as always the smallest that is free is given out. */
export function scarceFrom(openFilesMax: number): number {
  return Math.max(openFilesMax - DESCRIPTORS_KEPT, openFilesMax / 2);
}

/** How exact timeouts are: the sweep runs four times in the shortest of them, between these bounds. */
const SWEEP_MS_MIN = 10;
const SWEEP_MS_MAX = 250;

/** How long the sweep for connections whose time is over pauses. */
export function sweepMs(limits: Limits): number {
  const { requestTimeoutMs, idleTimeoutMs, stallTimeoutMs, lingerTimeoutMs } = limits;
  const shortest = Math.min(requestTimeoutMs, idleTimeoutMs, stallTimeoutMs, lingerTimeoutMs);
  return Math.min(SWEEP_MS_MAX, Math.max(SWEEP_MS_MIN, shortest / 4));
}
