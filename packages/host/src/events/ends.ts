import type { FeedEnd } from './feed.ts';

/**
 * A websocket close code of RFC 6455's registry: the reader can come back with the last position that it has
 * seen.
 */
const TRY_AGAIN = 1013;

/** Close code and reason for each end of a reader. */
export const FEED_ENDS: Readonly<Record<FeedEnd, readonly [code: number, reason: string]>> = {
  'too-slow': [TRY_AGAIN, 'too many events wait to be read: come back with since'],
  'position-lost': [TRY_AGAIN, 'the events that come next have been dropped'],
  unreadable: [TRY_AGAIN, 'the journal cannot be read'],
};
