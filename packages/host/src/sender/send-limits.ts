/** Bytes of one file that are sent before others get their turn: one call, well below a millisecond. */
export const SENT_PER_TURN_MAX = 256 * 1024;
/** The thread looks up at least so often: for clients that take nothing, and so that it can be ended. */
export const WAIT_MS_MAX = 1000;
/** The thread ends when it has had nothing to send for so long: it holds some descriptors, and ten MiB and more. */
export const IDLE_MS = 10_000;
