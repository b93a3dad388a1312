/** What a websocket is closed with, RFC 6455's registry: its reader can come back with the last position that it has seen. */
export const TRY_AGAIN = 1013;

/** Why: the journal keeps only so much. */
export const EVENTS_DROPPED = 'the events that come next have been dropped';
