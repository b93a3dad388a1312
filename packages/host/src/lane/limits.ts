/** Read at a time from one connection; a head that does not fit is left to the server behind. */
export const READ_BYTES = 16 * 1024;
/** Gathered into one write; an answer that does not fit is left to the server behind. */
export const WRITE_BYTES = 64 * 1024;
/** Connections accepted before others get their turn. */
export const ACCEPTS_PER_TURN_MAX = 64;
/** Connections served before new work is looked for. */
export const SERVED_PER_TURN_MAX = 64;
/** Longest head that is remembered with its answer, in characters. */
export const KNOWN_HEAD_MAX = 1024;
/** Longest answer that is remembered, in characters. */
export const KNOWN_ANSWER_MAX = 4096;
/** Heads and answers that are remembered for one instance, in characters; with more it begins anew. */
export const KNOWN_CHARACTERS_MAX = 16 * 1024;
/** Processes of one instance that are recognised when they connect again; more push out the oldest. */
export const KNOWN_PROCESSES_PER_RUN_MAX = 4;
/** The same for all instances together; each holds a descriptor. Others are looked at each time that they connect. */
export const KNOWN_PROCESSES_MAX = 2048;
/** How long accepting rests when the process has no descriptors left. */
export const ACCEPT_REST_MS = 250;
/** The lane looks up at least so often, so that its thread can be ended. */
export const WAIT_MS_MAX = 1000;
/** A lane that has not obeyed after so long is broken: its turns take milliseconds, also on a busy machine. */
export const OBEY_MS_MAX = 10_000;
/** A failing accept is told once in this time. */
export const ACCEPT_LOG_MS = 10_000;
