/**
 * Failures that occur before a route is found. Each closes the connection. Status line and body repeat the
 * same text, without `Date` and without a final newline, as LXD 5.0.2 sends them.
 */
const FAILURES = {
  'bad-request': '400 Bad Request',
  'missing-host': '400 Bad Request: missing required Host header',
  'malformed-host': '400 Bad Request: malformed Host header',
  'header-name': '400 Bad Request: invalid header name',
  'header-value': '400 Bad Request: invalid header value',
  'request-timeout': '408 Request Timeout',
  'body-too-large': '413 Request Entity Too Large',
  'head-too-large': '431 Request Header Fields Too Large',
  'transfer-encoding': '501 Not Implemented',
  'too-many-connections': '503 Service Unavailable',
  'http-version': '505 HTTP Version Not Supported: unsupported protocol version',
} as const;

export type HttpFailure = keyof typeof FAILURES;

/** Bodies that differ from the text of their status line. */
const BODIES: { readonly [failure in HttpFailure]?: string } = {
  'transfer-encoding': 'Unsupported transfer encoding',
};

/** The complete answer to a failure, ready to be written. */
export function failureAnswer(failure: HttpFailure): string {
  const status = FAILURES[failure];
  const head = 'Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n';
  return `HTTP/1.1 ${status}\r\n${head}${BODIES[failure] ?? status}`;
}

/** Every failure, for tests and documentation. */
export const HTTP_FAILURES = Object.keys(FAILURES) as readonly HttpFailure[];
