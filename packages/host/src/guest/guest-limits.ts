import { PING_INTERVAL_MS } from '../events/pings.ts';
import { DEFAULT_LIMITS, type Limits as HttpLimits } from '../http/connection-limits.ts';

/** What one instance may take of the guest API. */
export interface Limits extends HttpLimits {
  /** Open event streams of one instance, both transports together. */
  readonly eventStreams: number;
  /** Events that wait for one reader. */
  readonly eventQueueMessages: number;
  /** The same in bytes; one event alone may be larger. */
  readonly eventQueueBytes: number;
  /** Bytes of events that wait for all readers of one instance together. */
  readonly eventInstanceBytes: number;
  /** Of these, what every instance is sure of ... */
  readonly eventSureBytes: number;
  /** ... and what all instances together may have beyond that. */
  readonly eventCommonBytes: number;
  /** A reader that completes no write for so long is dropped. */
  readonly eventStallMs: number;
  readonly pingIntervalMs: number;
  /** Requests of one instance that wait for a change. */
  readonly heldRequests: number;
  /** Images that one instance fetches at a time; each holds two chunks of a file in memory. */
  readonly imageStreams: number;
  /** Writes to the store that one instance may cause at once ... */
  readonly writeBurst: number;
  /** ... and from then on: one in this time. */
  readonly writeIntervalMs: number;
}

/** A few programs that follow changes, each perhaps reconnecting. */
const EVENT_STREAMS_MAX = 32;
/** More than a hundred updates of forty keys each, sent while a reader is busy. */
const EVENT_QUEUE_MESSAGES_MAX = 8192;
const EVENT_QUEUE_BYTES_MAX = 2 * 1024 * 1024;
/** Two readers that are as slow as one may be. */
const EVENT_INSTANCE_BYTES_MAX = 4 * 1024 * 1024;
/** A batch of the journal. */
const EVENT_SURE_BYTES = 64 * 1024;
const EVENT_COMMON_BYTES_MAX = 64 * 1024 * 1024;
/** LXD's own time for a write to a listener. */
const EVENT_STALL_MS = 5_000;
/** As many as event streams: each costs a connection, a timer and a look at every change. */
const HELD_REQUESTS_MAX = 32;
const IMAGE_STREAMS_MAX = 16;
/**
 * Each write is a transaction on the disk for which all instances wait, and a row of the journal, which keeps
 * only so many. A sane instance says once per run that it is ready; one that says it every second still may.
 */
const WRITE_BURST = 32;
const WRITE_INTERVAL_MS = 1_000;

/** What is read of the journal in one turn: that takes about half a millisecond. One event alone may be larger. */
export const READ_PIECE = { events: 32, bytes: 64 * 1024 } as const;
/** Events of one answer to `limit`; a poller asks again. */
export const LISTED_EVENTS_MAX = 256;
/** The same in bytes; one event alone may be larger. */
export const LISTED_BYTES_MAX = 256 * 1024;
/** A request that waits longer is answered and may ask again: the patience of most HTTP clients. */
export const WAIT_SECONDS_MAX = 300;
/** Parts of a `Range`, empty ones too; with more the whole image is sent, as for ranges that overlap. */
export const RANGES_MAX = 64;

export const DEFAULT_GUEST_LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  eventStreams: EVENT_STREAMS_MAX,
  eventQueueMessages: EVENT_QUEUE_MESSAGES_MAX,
  eventQueueBytes: EVENT_QUEUE_BYTES_MAX,
  eventInstanceBytes: EVENT_INSTANCE_BYTES_MAX,
  eventSureBytes: EVENT_SURE_BYTES,
  eventCommonBytes: EVENT_COMMON_BYTES_MAX,
  eventStallMs: EVENT_STALL_MS,
  pingIntervalMs: PING_INTERVAL_MS,
  heldRequests: HELD_REQUESTS_MAX,
  imageStreams: IMAGE_STREAMS_MAX,
  writeBurst: WRITE_BURST,
  writeIntervalMs: WRITE_INTERVAL_MS,
};
