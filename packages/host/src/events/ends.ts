import type { FeedEnd } from './feed.ts';

/** What a websocket is closed with, RFC 6455's registry: its reader can come back with the last position that it has seen. */
const TRY_AGAIN = 1013;

/** Why a reader is ended: close code and reason of its websocket. */
export const FEED_ENDS: Readonly<Record<FeedEnd, readonly [code: number, reason: string]>> = {
  'too-slow': [TRY_AGAIN, 'too many events wait to be read: come back with since'],
  'position-lost': [TRY_AGAIN, 'the events that come next have been dropped'],
  unreadable: [TRY_AGAIN, 'the journal cannot be read'],
};
