/** Bytes of one file that are sent before others get their turn: one call, well below a millisecond. */
export const SENT_PER_TURN_MAX = 256 * 1024;
/** The thread looks up at least so often: for clients that take nothing, and so that it can be ended. */
export const WAIT_MS_MAX = 1000;
