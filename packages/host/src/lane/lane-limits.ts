/** Bytes that are read at a time from one connection; a head that does not fit is left to the main server. */
export const READ_BYTES = 16 * 1024;
/** Bytes that are gathered into one write; an answer that does not fit is left to the main server. */
export const WRITE_BYTES = 64 * 1024;
/**
 * Microseconds for which the connections of one instance are served before it is the next one's turn: about
 * ten plain requests. A connection waits this long for each other instance that has as much work.
 */
export const TURN_US = 100;
/**
 * Microseconds that a turn that took too long costs at most in later rounds. The work of a request is limited
 * by its bytes; if more time has passed, the machine had other work, which is not the instance's fault.
 */
export const TURN_DEBT_US_MAX = 1000;
/** Milliseconds for which connections are served before new work is looked for. */
export const SERVE_MS_MAX = 1;
/**
 * Milliseconds for which connections are accepted before other work; identifying them takes about as long.
 */
export const ACCEPT_MS_MAX = 1;
/** Connections that are accepted, and then identified, together. */
export const ACCEPT_BATCH = 128;
/** Connections that may wait to be accepted in a flood of worthless ones: a few milliseconds of work. */
export const FLOODED_BACKLOG = 64;
/** Milliseconds for which the queue stays short after the last batch that was mostly worthless. */
export const FLOODED_MS = 1000;
/**
 * The lane serves all instances, in turns: none of their programs should keep it from the processor for long.
 */
export const LANE_NICE = -5;
/** Connections of one instance that the main server was given and has not begun to serve. */
export const UNBEGUN_PER_KEY_MAX = 4;
/** The same for all instances together: a few milliseconds of work of the main server. */
export const UNBEGUN_TOTAL_MAX = 64;
/** Milliseconds for which orders are applied before other work: a start may bring thousands of them. */
export const OBEY_MS = 2;
/** Longest head that is remembered with its answer, in characters. */
export const KNOWN_HEAD_MAX = 1024;
/** Longest answer that is remembered, in characters. */
export const KNOWN_ANSWER_MAX = 4096;
/** Characters of heads and answers that are remembered for one instance; with more, all are forgotten. */
export const KNOWN_CHARACTERS_MAX = 16 * 1024;
/** Processes of one instance that are recognised when they connect again; a new one replaces the oldest. */
export const KNOWN_PROCESSES_PER_RUN_MAX = 4;
/** The same for all instances; each holds a descriptor. Others are identified each time they connect. */
export const KNOWN_PROCESSES_MAX = 2048;
/** Milliseconds for which new processes are counted together: so soon is a fork storm noticed. */
export const NEWCOMERS_MS = 25;
/** Connections of a batch that are looked at while many new processes connect: some 50 microseconds of work. */
export const NEWCOMERS_LOOKS = 8;
/** With fewer looks in that time, the parts of the cgroups would be left to chance. */
export const NEWCOMERS_LOOKED_MIN = 16;
/** Cgroups of new processes in that time; the main thread looks up each of them. */
export const NEWCOMERS_CGROUPS_MAX = 32;
/** Processes that are remembered as seen; with more, all are forgotten. */
export const NEWCOMERS_PIDS_MAX = 4096;
/** Milliseconds for which accepting pauses when the process has no descriptors left. */
export const ACCEPT_REST_MS = 250;
/** The lane waits no longer than this many milliseconds, so that its thread can be ended. */
export const WAIT_MS_MAX = 1000;
/**
 * A lane that has not applied its orders after this time has failed: its turns take milliseconds, even on a
 * busy machine.
 */
export const OBEY_MS_MAX = 10_000;
/** With more running instances, the lane's garbage is not freed at rest: the lane would stand still for too long. */
export const FREED_RUNS_MAX = 500;
/** A failing accept is logged once in this time. */
export const ACCEPT_LOG_MS = 10_000;
