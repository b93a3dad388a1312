/** Bytes of one file that are sent before it is the turn of others: one call, well below a millisecond. */
export const SENT_PER_TURN_MAX = 256 * 1024;
/** The thread waits no longer than this, to find clients that take nothing, and so that it can be ended. */
export const WAIT_MS_MAX = 1000;
/** The thread ends after this time without work: it holds some descriptors, and at least ten MiB. */
export const IDLE_MS = 10_000;
