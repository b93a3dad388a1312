/** Bytes of a JSON body: far more than any config, and small enough to hold in memory. */
export const JSON_BODY_BYTES_MAX = 8 * 1024 * 1024;

/** Longest path parameter: alias names may be long, and each byte may be escaped as three. */
export const PATH_PARAMETER_MAX = 4096;

/** How long a refused request may go on sending its body before the connection is cut. */
export const DRAIN_TIMEOUT_MS = 10_000;

/** Listeners of GET /1.0/events at a time: one per waiting command, so far more than operators start. */
export const EVENT_LISTENERS_MAX = 512;

/** Bytes that may wait for one listener; a slower one is cut off, so that it cannot fill the memory. */
export const EVENT_QUEUE_BYTES_MAX = 8 * 1024 * 1024;

/** Events of one batch for a listener that catches up. */
export const REPLAYED_EVENTS_MAX = 64;

/** The same in bytes; one event alone may be larger. */
export const REPLAYED_BYTES_MAX = 128 * 1024;

/** A listener that is ended has this long to read the reason. */
export const CLOSE_TIMEOUT_MS = 2_000;

/** Bytes of one websocket message from a client: LXD's client sends far smaller ones. */
export const WEBSOCKET_MESSAGE_BYTES_MAX = 1024 * 1024;

/** The websockets of an exec have this long to connect, as in LXD. */
export const EXEC_CONNECT_TIMEOUT_MS = 5_000;

/** Output waiting for a websocket at which the process is no longer read ... */
export const EXEC_OUTPUT_BYTES_HIGH = 1024 * 1024;

/** ... and at which it is read again. */
export const EXEC_OUTPUT_BYTES_LOW = 256 * 1024;

/** Instances asked at the same time for their live state by a list. */
export const LIVE_STATE_CONCURRENCY = 16;

/** Chunks in which image files are read: large ones cost least per byte. */
export const FILE_CHUNK_BYTES = 1024 * 1024;

/** Tries to merge a PATCH into a profile that others change at the same time. */
export const MERGE_ATTEMPTS_MAX = 5;

/** Connections without a request so far that are left to the next daemon: operators are few. */
export const LEFT_CONNECTIONS_MAX = 256;

/** Connections that wait to be accepted; the kernel takes the smaller of this and `somaxconn`. */
export const BACKLOG = 4096;

/**
 * How long commands in instances may go on when the daemon restarts in place: other operators wait meanwhile.
 */
export const EXEC_HAND_OVER_MS = 1_500;

/** Clients that follow logs at a time: each holds a file open. */
export const LOG_FOLLOWERS_MAX = 64;

/** The least time between two reads of a log that is followed: an instance may write all the time. */
export const LOG_PACE_MS = 50;

/** Operations of other members whose place is remembered; any other is asked for. */
export const REMEMBERED_OPERATIONS_MAX = 4096;

/** How long other members have to say whether they have an operation. */
export const FIND_OPERATION_MS = 2_000;

/** How long other members have for their part of a list ... */
export const LIST_PART_MS = 5_000;

/** ... and with the live state of their instances, for which they ask programs. */
export const LIVE_LIST_PART_MS = 15_000;

/** Bytes of the answer of a member that is read into memory. */
export const MEMBER_ANSWER_BYTES_MAX = 256 * 1024 * 1024;

/** How long a listener waits for the streams of other members to begin. */
export const STREAMS_READY_MS = 2_000;

/** The stream of a member that broke is opened again after this. */
export const STREAM_RETRY_MS = 1_000;

/** How long the streams of other members stay open after the last listener: each command of an operator is one. */
export const STREAMS_LINGER_MS = 30_000;

/** Bytes of one event of another member. */
export const MEMBER_EVENT_BYTES_MAX = 32 * 1024 * 1024;

/** How long a member that is asked for a revision waits until it has applied it. */
export const APPLIED_MS = 5_000;
