import { expect, it } from 'vitest';
import { failureAnswer, HTTP_FAILURES } from './http-errors.ts';

it.each([
  ['bad-request', '400 Bad Request', '400 Bad Request'],
  [
    'missing-host',
    '400 Bad Request: missing required Host header',
    '400 Bad Request: missing required Host header',
  ],
  ['transfer-encoding', '501 Not Implemented', 'Unsupported transfer encoding'],
] as const)('sends %s as LXD does', (failure, status, body) => {
  expect(failureAnswer(failure)).toBe(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${body}`,
  );
});

it('announces the end of the connection in every answer', () => {
  for (const failure of HTTP_FAILURES) {
    expect(failureAnswer(failure)).toMatch(
      /^HTTP\/1\.1 \d{3} [^\r]+\r\n[\s\S]*Connection: close\r\n\r\n[^\n]+$/,
    );
  }
});
