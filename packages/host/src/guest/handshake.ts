import { type HeadFields, hasToken } from '../http/head-fields.ts';
import { headerBlock, type TextReply } from '../http/response.ts';
import { textError } from './guest-errors.ts';

const BAD_HANDSHAKE = textError(
  'bad-handshake',
  '',
  headerBlock({
    'Content-Type': 'text/plain; charset=utf-8',
    'Sec-Websocket-Version': '13',
    'X-Content-Type-Options': 'nosniff',
  }),
);

/** The error for a websocket request that is not valid; undefined if it is valid (RFC 6455, 4.2.1). */
export function refuseHandshake(fields: Readonly<HeadFields>): TextReply | undefined {
  if (!hasToken(fields.connection, 'upgrade') || fields.websocketVersion !== '13') return BAD_HANDSHAKE;
  // Sixteen bytes in base64.
  if (!/^[+/0-9A-Za-z]{22}==$/.test(fields.websocketKey ?? '')) return BAD_HANDSHAKE;
  return isSameOrigin(fields) ? undefined : textError('forbidden');
}

/** A page that a browser inside the instance has loaded from elsewhere must not read events. */
function isSameOrigin({ origin, host }: Readonly<HeadFields>): boolean {
  if (origin === undefined || origin === '') return true;
  const match = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)$/i.exec(origin);
  return match !== null && match[1]!.toLowerCase() === (host ?? '').toLowerCase();
}
