import { namesEtag } from '../core/etags.ts';
import { queryValue } from '../http/target.ts';
import { WAIT_SECONDS_MAX } from './guest-limits.ts';
import { type GuestReply, type GuestRequest, refuse } from './reply.ts';

/** Whole seconds, nine digits at most. */
const SECONDS = /^[0-9]{1,9}$/;

/**
 * The reply to a request that may already know the value (If-None-Match). If it does, the reply is "not
 * modified", or, with `?wait=<seconds>`, waits for another value.
 */
export function conditional(
  reply: GuestReply & { readonly etag: string },
  { head }: GuestRequest,
): GuestReply {
  const { ifNoneMatch } = head.fields;
  if (ifNoneMatch === undefined) return reply;
  const seconds = readWait(queryValue(head.target.query, 'wait') ?? '0');
  if (seconds === undefined) return refuse('invalid-wait');
  const { etag } = reply;
  if (!namesEtag(ifNoneMatch, etag)) return reply;
  return seconds === 0 ? { kind: 'not-modified', etag } : { kind: 'wait', etag, seconds };
}

/** The value of `wait`, cut to the maximum; undefined if it is not a number of seconds. */
export function readWait(text: string): number | undefined {
  return SECONDS.test(text) ? Math.min(Number(text), WAIT_SECONDS_MAX) : undefined;
}
