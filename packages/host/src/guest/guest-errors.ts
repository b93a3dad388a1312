import { GUEST_KEY_BYTES_MAX } from '../core/guest-keys.ts';
import { headerBlock, type TextReply } from '../http/response.ts';

/**
 * Every refusal that a guest can get: code, status, text. The texts are LXD's, and a guest gets no other
 * details; `%s` is replaced by a part of the guest's own request.
 */
export const GUEST_ERRORS = {
  'invalid-body': [400, 'Invalid request body: %s'],
  'invalid-state': [400, 'Invalid state %s'],
  'invalid-position': [400, 'Invalid position: since takes a sequence number or now'],
  'invalid-limit': [400, 'Invalid limit: it takes a number of events'],
  'invalid-wait': [400, 'Invalid wait: it takes a number of seconds'],
  'invalid-key': [
    400,
    `Invalid key: letters, digits, ".", "_" and "-", ${GUEST_KEY_BYTES_MAX} characters at most`,
  ],
  'invalid-value': [400, 'Invalid value: UTF-8 text without control characters, not empty'],
  'too-many-keys': [400, 'Too many keys: %s at most'],
  'bad-handshake': [400, 'Bad Request'],
  'not-root': [401, 'Access denied for non-root user'],
  forbidden: [403, 'Forbidden'],
  'page-not-found': [404, '404 page not found'],
  'not-found': [404, 'Not Found'],
  'unknown-method': [404, 'Method "%s" not found'],
  'position-too-old': [410, 'Position is too old: the oldest is %s'],
  'position-unknown': [410, 'Position is not known: the newest is %s'],
  'value-too-large': [413, 'Value is too large: %s bytes at most'],
  'range-malformed': [416, 'invalid range'],
  'range-beyond-end': [416, 'invalid range: failed to overlap'],
  'too-many-writes': [429, 'Too Many Requests'],
  'no-instance': [500, 'Process ID not found in container'],
  'state-not-stored': [500, 'Failed setting instance state: internal error'],
  'key-not-stored': [500, 'Failed setting configuration key: internal error'],
  internal: [500, 'Internal Server Error'],
  'not-implemented': [501, 'Not Implemented'],
  'cut-off': [503, 'This host is cut off from its fleet: it cannot change keys until it is connected again'],
  'outcome-unknown': [
    503,
    'This host was cut off from its fleet during the change: it is not known yet whether the change was made',
  ],
  'too-many-streams': [503, 'Service Unavailable'],
  'too-many-held': [503, 'Service Unavailable'],
} as const satisfies Record<string, readonly [status: number, text: string]>;

export type GuestErrorCode = keyof typeof GUEST_ERRORS;

const TEXT_HEADERS = headerBlock({
  'Content-Type': 'text/plain; charset=utf-8',
  'X-Content-Type-Options': 'nosniff',
});

const JSON_HEADERS = headerBlock({
  'Content-Type': 'application/json',
  'X-Content-Type-Options': 'nosniff',
});

/** A refusal as plain text; `headers` replaces the usual header block. */
export function textError(code: GuestErrorCode, value = '', headers = TEXT_HEADERS): TextReply {
  const [status, text] = GUEST_ERRORS[code];
  return { kind: 'text', status, headers, body: `${text.replace('%s', () => value)}\n` };
}

/** A refusal of an image. LXD sends it as its main API does: JSON, with two newlines. */
export function jsonError(code: GuestErrorCode): TextReply {
  const [status, error] = GUEST_ERRORS[code];
  const body = {
    type: 'error',
    status: '',
    status_code: 0,
    operation: '',
    error_code: status,
    error,
    metadata: null,
  };
  return { kind: 'text', status, headers: JSON_HEADERS, body: `${JSON.stringify(body)}\n\n` };
}
