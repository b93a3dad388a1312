/** A connection has this long from its first byte to the end of the handshake, on both sides. */
export const HANDSHAKE_MS = 5_000;

/** Handshakes at a time. Each host that reaches the address can begin one; the oldest ends to make room for a new one. */
export const HANDSHAKES_MAX = 128;

/** Handshakes with one member at a time: more wait, so that a crowd of requests does not push out its own handshakes. */
export const HANDSHAKES_TO_MEMBER_MAX = 32;

/** Connections of one member: each command of an operator that is forwarded has one. */
export const CONNECTIONS_PER_MEMBER_MAX = 1024;

/** Connections to one member; less than it takes, so that a request waits here instead of being refused there. */
export const CONNECTIONS_TO_MEMBER_MAX = 1000;

/** Connections without a request that are kept open to one member. */
export const IDLE_CONNECTIONS_MAX = 16;

/** How long one is kept: shorter than the host API's server keeps it, so that no request meets a closing one. */
export const IDLE_MS = 30_000;

/** A silent connection is probed after this ... */
export const PROBE_AFTER_MS = 3_000;

/** ... and ended when the other host has confirmed nothing for this time: it is dead, or cannot be reached. */
export const SILENCE_MS_MAX = 10_000;

/** How long a member without a lease may send nothing and accept no connection, before it is given up. */
export const STANDSTILL_MS = 3_000;

/** A refused connection has this long to read the reason. */
export const REFUSAL_MS = 1_000;

/** Bytes of the first line that a member answers. */
export const GREETING_BYTES_MAX = 128;

/** How long a member that does not listen is tried again, once: its daemon may restart in place ... */
export const RESTART_MS = 3_000;

/** ... after pauses of this length. */
export const RESTART_RETRY_MS = 50;
