import { expect, it } from 'vitest';
import { HEAD_BYTES_MAX } from './connection-limits.ts';
import { RequestInput } from './request-input.ts';

const limits = { headBytes: HEAD_BYTES_MAX, bodyBytes: 0 };

/** Appends a head in pieces, as a connection does, and counts how often it is parsed. */
function feed(bytes: Buffer, pieceBytes: number) {
  const input = new RequestInput();
  let parsed = 0;
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes);
    if (input.length === 0) input.append(piece);
    else if (!input.appendToHead(piece, limits)) continue;
    parsed++;
    const result = input.readHead(limits);
    if (result.kind !== 'incomplete') return { result, parsed, left: input.length };
  }
  return { result: undefined, parsed, left: input.length };
}

it.each(['\r\n', '\n'])('finds the end of a head with %j, in pieces of any size', (end) => {
  const bytes = Buffer.from(`GET / HTTP/1.1${end}Host: x${end}${end}`);
  for (let pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes++) {
    expect(feed(bytes, pieceBytes)).toMatchObject({ result: { kind: 'head' }, left: 0 });
  }
});

it('parses a large head only a few times, even in the smallest pieces', () => {
  const head = Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(10_000)}\r\n`);
  const { result, parsed } = feed(head, 1);
  expect(result?.kind).toBe('head');
  expect(parsed).toBeLessThan(25);
});

it('refuses a head that never ends', () => {
  const head = Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(20_000)}\r\n`);
  expect(feed(head, 7).result).toEqual({ kind: 'error', error: 'head-too-large' });
});
