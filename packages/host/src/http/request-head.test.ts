import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HeadResult, parseHead } from './request-head.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const parse = (text: string) => parseHead(bytes(text), 0);

/** Parses longer and longer beginnings, as a slow client sends them, until there is a result. */
function parseBytewise(input: Buffer): HeadResult {
  for (let length = 0; length <= input.length; length++) {
    const result = parseHead(input.subarray(0, length), 0);
    if (result.kind !== 'incomplete') return result;
  }
  return { kind: 'incomplete' };
}

function head(text: string) {
  const result = parse(text);
  if (result.kind !== 'head') throw new Error(`no head: ${JSON.stringify(result)}`);
  return result.head;
}

const ERRORS: readonly [input: string, error: string][] = [
  ['\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET\r\n\r\n', 'bad-request'],
  ['GET /\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.1 \r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET  / HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET /a b HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET /a\rb HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET /%4 HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET /%4?1 HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET 1.0 HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET * HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET http://a b/ HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['CONNECT lxd:80 HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['G@T / HTTP/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET / http/1.1\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.x\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.1\r\n Host: x\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.1\r\nHost: x\r\n\rX', 'bad-request'],
  ['GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1,1\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n', 'bad-request'],
  ['GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n', 'transfer-encoding'],
  ['GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 'transfer-encoding'],
  [
    'GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n',
    'transfer-encoding',
  ],
  ['GET / HTTP/2.0\r\nHost: x\r\n\r\n', 'http-version'],
  ['GET / HTTP/0.9\r\n\r\n', 'http-version'],
  ['GET / HTTP/1.1\r\n\r\n', 'missing-host'],
  ['GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 'malformed-host'],
  ['GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 'malformed-host'],
  ['GET / HTTP/1.1\r\nHost: x\r\nX Y: 1\r\n\r\n', 'header-name'],
  ['GET / HTTP/1.1\r\nHost: x\r\nX : 1\r\n\r\n', 'header-name'],
  ['GET / HTTP/1.1\r\nHost: x\r\n: 1\r\n\r\n', 'header-name'],
  ['GET / HTTP/1.1\r\nHost: x\r\nX\x80: 1\r\n\r\n', 'header-name'],
  ['GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n', 'header-value'],
  ['GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n', 'header-value'],
  ['GET / HTTP/1.1\r\nHost: x\r\nX: a\r\r\n\r\n', 'header-value'],
  ['GET / HTTP/1.1\r\nHost: x\r\nX: a\x7f\r\n\r\n', 'header-value'],
  [`GET / HTTP/1.1\r\nHost: x\r\nAccept: a${'\r\n b'.repeat(65)}\r\n\r\n`, 'header-value'],
  ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n', 'body-too-large'],
  [`GET /${'a'.repeat(65536)} HTTP/1.1\r\nHost: x\r\n\r\n`, 'head-too-large'],
  [`GET / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(11000)}\r\n`, 'head-too-large'],
];

describe('parseHead', () => {
  it.each(ERRORS)('refuses %j', (input, error) => {
    expect(parse(input)).toEqual({ kind: 'error', error });
  });

  it.each(ERRORS.filter(([input]) => input.length < 1000))('refuses %j also byte by byte', (input, error) => {
    expect(parseBytewise(bytes(input))).toEqual({ kind: 'error', error });
  });

  it('reads a request whose lines end in a bare LF', () => {
    expect(head('GET /1.0 HTTP/1.1\nHost: x\n\n')).toMatchObject({
      method: 'GET',
      target: { path: '/1.0', query: '', origin: '' },
      minor: 1,
      keepAlive: true,
      contentLength: 0,
      chunked: false,
    });
  });

  it('tells where the next request begins', () => {
    const first = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    const result = parseHead(bytes(`xx${first}GET /b HTTP/1.1`), 2);
    expect(result).toMatchObject({ kind: 'head', next: 2 + first.length });
  });

  it('accepts raw bytes above 0x7f in the path', () => {
    expect(head('GET /1.0/config/user.\xc3\xbc HTTP/1.1\r\nHost: x\r\n\r\n').target.path).toBe(
      '/1.0/config/user.\xc3\xbc',
    );
  });

  it.each([
    ['http://lxd/1.0?a=b', { path: '/1.0', query: 'a=b', origin: 'http://lxd' }],
    ['https://lxd:1/1.0', { path: '/1.0', query: '', origin: 'https://lxd:1' }],
    ['HTTP://lxd', { path: '', query: '', origin: 'HTTP://lxd' }],
    ['/a?b?%zz', { path: '/a', query: 'b?%zz', origin: '' }],
  ])('splits the target %s', (target, parts) => {
    expect(head(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`).target).toEqual(parts);
  });

  it('accepts OPTIONS *', () => {
    expect(head('OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n').target.path).toBe('*');
  });

  it('accepts an empty Host, and none at all on HTTP/1.0', () => {
    expect(head('GET / HTTP/1.1\r\nHost:\r\n\r\n').fields.host).toBe('');
    expect(head('GET / HTTP/1.0\r\n\r\n').minor).toBe(0);
  });

  it('recognises header names in any case and joins folded lines', () => {
    const { fields } = head('GET / HTTP/1.1\r\nhOST: x\r\nRANGE: \t bytes=1-\r\n\t2, \r\n 4-5 \r\n\r\n');
    expect(fields).toMatchObject({ host: 'x', range: 'bytes=1- 2, 4-5' });
  });

  it('joins a list that comes in several headers, and takes the first of any other header', () => {
    const lines = ['Accept: a/b', 'Range: 1', 'Accept: */*', 'Range: 2'].join('\r\n');
    const { fields } = head(`GET / HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n`);
    expect(fields).toMatchObject({ accept: 'a/b, */*', range: '1' });
  });

  it.each([
    ['1.1', '', true],
    ['1.1', 'close', false],
    ['1.1', 'foo, Close', false],
    ['1.1', 'foo\r\nConnection: close', false],
    ['1.0', '', false],
    ['1.0', 'Keep-Alive', true],
    ['1.0', 'keep-alive\r\nTransfer-Encoding: chunked', false],
    ['1.2', '', true],
  ])('HTTP/%s with Connection %j keeps the connection: %s', (version, connection, keepAlive) => {
    expect(head(`GET / HTTP/${version}\r\nHost: x\r\nConnection: ${connection}\r\n\r\n`).keepAlive).toBe(
      keepAlive,
    );
  });

  it.each([
    ['1.1', '100-Continue', 'continue'],
    ['1.0', '100-continue', 'nothing'],
    ['1.1', 'a miracle', 'unknown'],
  ])('HTTP/%s with Expect %j expects %s', (version, expect_, expected) => {
    expect(head(`GET / HTTP/${version}\r\nHost: x\r\nExpect: ${expect_}\r\n\r\n`).expect).toBe(expected);
  });

  it('accepts a head of exactly the limit and refuses one byte more', () => {
    const text = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    const limits = { headBytes: text.length, bodyBytes: 0 };
    expect(parseHead(bytes(text), 0, limits).kind).toBe('head');
    expect(parseHead(bytes(`${text}more`), 0, limits).kind).toBe('head');
    expect(parseHead(bytes(text), 0, { ...limits, headBytes: text.length - 1 })).toEqual({
      kind: 'error',
      error: 'head-too-large',
    });
  });

  it('never throws, and gives the same result in pieces as at once', () => {
    const part = fc.constantFrom(
      'GET ',
      '/',
      '/1.0',
      '%41',
      '%z',
      ' HTTP/1.1',
      '\r\n',
      '\n',
      '\r',
      ' ',
      ':',
      'Host: x',
      'Host',
      'Content-Length: 3',
      'Transfer-Encoding: chunked',
      '\t',
      '\0',
      '\xff',
      'Connection: close',
      'http://a',
    );
    const text = fc.oneof(
      fc.array(part, { maxLength: 14 }).map((parts) => bytes(parts.join(''))),
      fc.array(part, { maxLength: 8 }).map((parts) => bytes(`GET / HTTP/1.1\r\n${parts.join('')}\r\n\r\n`)),
      fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array)),
    );
    fc.assert(
      fc.property(text, (input) => {
        expect(parseBytewise(input)).toEqual(parseHead(input, 0));
      }),
      { numRuns: 500 },
    );
  });
});
