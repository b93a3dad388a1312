import { namesEtag } from '../core/etags.ts';
import { queryValue } from '../http/target.ts';
import { WAIT_SECONDS_MAX } from './guest-limits.ts';
import { type GuestReply, type GuestRequest, refuse } from './reply.ts';

/** Digits of a number of seconds that anybody may mean. */
const SECONDS = /^[0-9]{1,9}$/;

/**
 * The reply to a request that may know the value already (If-None-Match): then it is told so, or, with
 * `?wait=<seconds>`, waits for another value.
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

/** The value of `wait`, cut to what is granted; undefined for one that is no number of seconds. */
export function readWait(text: string): number | undefined {
  return SECONDS.test(text) ? Math.min(Number(text), WAIT_SECONDS_MAX) : undefined;
}
