import { expect, test as it } from 'vitest';
import { AnswerReader, type PlainAnswer } from './answer-reader.ts';

/** Reads an answer that comes in these pieces, and then the end of the connection. */
function read(pieces: readonly string[], method = 'GET') {
  const reader = new AnswerReader(method);
  for (const piece of pieces) {
    const answer = reader.push(Buffer.from(piece, 'latin1'));
    if (answer) return shown(answer);
  }
  return shown(reader.end());
}
const shown = ({ status, reason, headers, body }: PlainAnswer) => [status, reason, headers, String(body)];

const WITH_LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag:"a: b" \r\n\r\nbody';
const READ = [200, 'OK', { 'content-length': '4', etag: '"a: b"' }, 'body'];

it('an answer is the same however its bytes come', () => {
  for (let at = 0; at <= WITH_LENGTH.length; at++)
    expect(read([WITH_LENGTH.slice(0, at), WITH_LENGTH.slice(at)])).toEqual(READ);
  expect(read([...WITH_LENGTH])).toEqual(READ);
});

it('an answer with a length ends there', () => {
  expect(read([`${WITH_LENGTH}and more`])).toEqual(READ);
  const reader = new AnswerReader('GET');
  expect(reader.push(Buffer.from(WITH_LENGTH))).toBeDefined();
});

it('an answer without a length ends with the connection', () => {
  expect(read(['HTTP/1.0 500 Oh no\r\n\r\n', 'a', 'b'])).toEqual([500, 'Oh no', {}, 'ab']);
  expect(read(['HTTP/1.0 200\r\n\r\n'])).toEqual([200, '', {}, '']);
});

it.each([
  ['HEAD', '200 OK'],
  ['GET', '204 No Content'],
  ['GET', '304 Not Modified'],
])('an answer to %s with the status %s has no body, whatever its length says', (method, status) => {
  expect(read([`HTTP/1.1 ${status}\r\ncontent-length: 9\r\n\r\n`], method)[3]).toBe('');
});

it.each(['', 'HTTP/1.1 200 OK\r\n', WITH_LENGTH.slice(0, -1)])(
  'a part of an answer is refused: %j',
  (part) => {
    expect(() => read(part === '' ? [] : [part])).toThrow(expect.objectContaining({ code: 'ECONNRESET' }));
  },
);

it.each([
  'SSH-2.0',
  'HTTP/2 200 OK\r\n',
  'HTTP/1.1 OK\r\n\r\n',
  'HTTP/1.1 200 OK\r\nno header\r\n\r\n',
  'HTTP/1.1 200 OK\r\n: x\r\n\r\n',
  'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n',
  `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}`,
])('what is not HTTP is refused at once: %j', (text) => {
  const reader = new AnswerReader('GET');
  const refusal = expect.objectContaining({ code: 'HPE_INVALID' });
  expect(() => reader.push(Buffer.from(text))).toThrow(refusal);
});
