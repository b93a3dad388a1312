import type { RequestHead } from './request-head.ts';
import { headerBlock, type TextReply } from './response.ts';
import { cleanPath, redirectLocation } from './target.ts';

const OPTIONS_ASTERISK: TextReply = {
  kind: 'text',
  status: 200,
  headers: 'Content-Length: 0\r\n',
  body: '',
  unmeasured: true,
};

/** Asks for a body that the client holds back until then. */
export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** The answer to an unknown `Expect`. */
export const EXPECTATION_FAILED: TextReply = {
  kind: 'text',
  status: 417,
  headers: 'Connection: close\r\n',
  body: '',
};

/**
 * The answers that need no route: to `OPTIONS *`, and to paths that are not clean, which are redirected to
 * their clean form. Undefined for all other requests.
 */
export function ownAnswer(head: RequestHead): TextReply | undefined {
  const { path } = head.target;
  if (path === '*') return OPTIONS_ASTERISK;
  const clean = cleanPath(path);
  if (clean === path) return undefined;
  const headers = headerBlock({ Location: redirectLocation(head.target, clean) });
  return { kind: 'text', status: 301, headers, body: '' };
}
