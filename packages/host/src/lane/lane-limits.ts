/** Read at a time from one connection; a head that does not fit is left to the server behind. */
export const READ_BYTES = 16 * 1024;
/** Gathered into one write; an answer that does not fit is left to the server behind. */
export const WRITE_BYTES = 64 * 1024;
/**
 * What the connections of one instance are served for, in microseconds, before it is the next one's turn: some ten
 * plain requests. Others wait for it once for each instance that has as much to ask.
 */
export const TURN_US = 100;
/**
 * What a turn that took too long costs at most in later rounds. A request's work is bounded by its bytes; when more time
 * has passed, the machine had other work, and that is not the instance's doing.
 */
export const TURN_DEBT_US_MAX = 1000;
/** How long connections are served before new work is looked for. */
export const SERVE_MS_MAX = 1;
/** How long connections are accepted before others get their turn; to identify them takes about as long again. */
export const ACCEPT_MS_MAX = 1;
/** Connections that are accepted, and then identified, together. */
export const ACCEPT_BATCH = 128;
/** Connections that may wait to be accepted while most that come are worth nothing: a few milliseconds of work. */
export const FLOODED_BACKLOG = 64;
/** How long that is so after the last time that a whole batch was mostly worth nothing. */
export const FLOODED_MS = 1000;
/** The lane serves all instances, in turns: none of their programs should keep it from the processor for long. */
export const LANE_NICE = -5;
/** Connections of one instance that the server behind has been given and has not begun to serve. */
export const UNBEGUN_PER_KEY_MAX = 4;
/** The same for all instances together: a few milliseconds of its work. */
export const UNBEGUN_TOTAL_MAX = 64;
/** How long orders are applied before others get their turn: thousands come when as many instances are recognised. */
export const OBEY_MS = 2;
/** Longest head that is remembered with its answer, in characters. */
export const KNOWN_HEAD_MAX = 1024;
/** Longest answer that is remembered, in characters. */
export const KNOWN_ANSWER_MAX = 4096;
/** Heads and answers that are remembered for one instance, in characters; with more, all are forgotten. */
export const KNOWN_CHARACTERS_MAX = 16 * 1024;
/** Processes of one instance that are recognised when they connect again; more push out the oldest. */
export const KNOWN_PROCESSES_PER_RUN_MAX = 4;
/** The same for all instances together; each holds a descriptor. Others are looked at each time that they connect. */
export const KNOWN_PROCESSES_MAX = 2048;
/** How long accepting rests when the process has no descriptors left. */
export const ACCEPT_REST_MS = 250;
/** The lane looks up at least so often, so that its thread can be ended. */
export const WAIT_MS_MAX = 1000;
/** A lane that has not applied after so long is broken: its turns take milliseconds, also on a busy machine. */
export const OBEY_MS_MAX = 10_000;
/** A failing accept is told once in this time. */
export const ACCEPT_LOG_MS = 10_000;
