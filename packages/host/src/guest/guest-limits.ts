import { PING_INTERVAL_MS } from '../events/pings.ts';
import { DEFAULT_LIMITS, type Limits as HttpLimits } from '../http/connection-limits.ts';

/** How much of the guest API one instance may use. */
export interface Limits extends HttpLimits {
  /** Open event streams of one instance, both transports together. */
  readonly eventStreams: number;
  /** Events that wait for one reader. */
  readonly eventQueueMessages: number;
  /** Bytes of events that wait for one reader; a single event may be larger. */
  readonly eventQueueBytes: number;
  /** Bytes of events that wait for all readers of one instance together. */
  readonly eventInstanceBytes: number;
  /** The part of `eventInstanceBytes` that every instance is guaranteed. */
  readonly eventSureBytes: number;
  /** Bytes that all instances together may have beyond what each is guaranteed. */
  readonly eventCommonBytes: number;
  /** A reader that completes no write for this long is dropped. */
  readonly eventStallMs: number;
  readonly pingIntervalMs: number;
  /** Requests of one instance that wait for a change. */
  readonly heldRequests: number;
  /** Images that one instance fetches at the same time; each fetch holds two chunks of a file in memory. */
  readonly imageStreams: number;
  /** Writes to the store that one instance may cause at once. */
  readonly writeBurst: number;
  /** After `writeBurst`, one write is allowed in this time. */
  readonly writeIntervalMs: number;
}

/** Enough for a few programs that follow changes and may reconnect. */
const EVENT_STREAMS_MAX = 32;
/** More than a hundred updates of forty keys each, while a reader is busy. */
const EVENT_QUEUE_MESSAGES_MAX = 8192;
const EVENT_QUEUE_BYTES_MAX = 2 * 1024 * 1024;
/** Enough for two readers that are as slow as one may be. */
const EVENT_INSTANCE_BYTES_MAX = 4 * 1024 * 1024;
/** One batch of the journal. */
const EVENT_SURE_BYTES = 64 * 1024;
const EVENT_COMMON_BYTES_MAX = 64 * 1024 * 1024;
/** LXD's own time limit for a write to a listener. */
const EVENT_STALL_MS = 5_000;
/** As many as event streams: each request costs a connection, a timer and a check at every change. */
const HELD_REQUESTS_MAX = 32;
const IMAGE_STREAMS_MAX = 16;
/**
 * Each write is a disk transaction that all instances wait for, and a row of the journal, which keeps only a
 * limited number. A normal instance reports once per run that it is ready; one report per second is still
 * allowed.
 */
const WRITE_BURST = 32;
const WRITE_INTERVAL_MS = 1_000;

/** How much of the journal is read in one turn, about half a millisecond. A single event may be larger. */
export const READ_PIECE = { events: 32, bytes: 64 * 1024 } as const;
/** Events in one answer to `limit`; a client that polls asks again. */
export const LISTED_EVENTS_MAX = 256;
/** Bytes in one such answer; a single event may be larger. */
export const LISTED_BYTES_MAX = 256 * 1024;
/** A request that waits longer is answered and may be repeated: most HTTP clients wait this long. */
export const WAIT_SECONDS_MAX = 300;
/** Parts of a `Range`, including empty ones. With more, the whole image is sent, as for overlapping ones. */
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
