import { expect, it } from 'vitest';
import { BODY_BYTES_MAX, KEPT_BODY_BYTES_MAX } from './connection-limits.ts';
import { RequestBody } from './request-body.ts';
import { parseHead } from './request-head.ts';

const PIECE_BYTES = 10_000;

function bodyOf(fields: string, bytes: Buffer): RequestBody {
  const result = parseHead(Buffer.from(`PATCH / HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n`), 0);
  if (result.kind !== 'head') throw new Error(result.kind);
  const body = new RequestBody(result.head, true, BODY_BYTES_MAX);
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const { progress } = body.push(bytes.subarray(at, at + PIECE_BYTES));
    expect(progress).toBe(at + PIECE_BYTES < bytes.length ? 'more' : 'done');
  }
  return body;
}

const digits = Buffer.from(Array.from({ length: BODY_BYTES_MAX }, (_, at) => 0x30 + (at % 10)));

it.each([
  ['with a length', `Content-Length: ${digits.length}`, digits],
  [
    'in chunks',
    'Transfer-Encoding: chunked',
    Buffer.concat([Buffer.from('100000\r\n'), digits, Buffer.from('\r\n0\r\n\r\n')]),
  ],
])('reads a body %s to its end, and keeps only its beginning', (_, fields, bytes) => {
  expect(bodyOf(fields, bytes).bytes()).toEqual(digits.subarray(0, KEPT_BODY_BYTES_MAX));
});

it('keeps all of a body of the largest size', () => {
  const whole = digits.subarray(0, KEPT_BODY_BYTES_MAX);
  expect(bodyOf(`Content-Length: ${whole.length}`, whole).bytes()).toEqual(whole);
});
