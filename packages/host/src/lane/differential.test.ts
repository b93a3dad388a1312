import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RawClient, sampleView } from '../guest/testing/harness.ts';
import { type LaneFixture, startLane } from './testing/harness.ts';

let guest: LaneFixture;

beforeAll(async () => {
  guest = await startLane();
  const config = new Map([...sampleView().config, ['user.large', 'L'.repeat(70_000)]]);
  guest.backend.setView(sampleView({ config }));
});
afterAll(() => guest[Symbol.asyncDispose]());

const path = fc.oneof(
  fc.constantFrom('/', '/1.0', '/1.0/config', '/1.0/devices', '/1.0/meta-data', '/1.0/ubuntu-pro', '*'),
  fc
    .constantFrom('foo', '%C3%BCni', 'üni', 'large', 'sl%2Fash', 'none', '%zz')
    .map((key) => `/1.0/config/user.${key}`),
  fc.constantFrom(
    '//1.0',
    '/1.0/',
    '/1.0/./config',
    '/1.0?a=b',
    'http://lxd/1.0',
    'http://lxd',
    '/1.0/config/image.os',
  ),
  fc.constantFrom('/1.0/images/x/export', `/1.0/images/${'0'.repeat(64)}/export`, '/2.0', ''),
);
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constant('GET') },
  fc.constantFrom('HEAD', 'PUT', 'OPTIONS', 'get', 'FOO', 'DELETE', 'PATCH', 'G(T'),
);
const version = fc.oneof(
  { weight: 8, arbitrary: fc.constant('HTTP/1.1') },
  fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/1.7', 'http/1.1', 'HTTP/1'),
);
const field = fc.constantFrom(
  ...[
    'Host: lxd',
    'Host: l/d',
    'Connection: close',
    'Connection: keep-alive',
    'Connection: x, close',
    'Accept: */*',
  ],
  ...[
    'Expect: 100-continue',
    'Expect: tea',
    'Content-Length: 3',
    'Content-Length: x',
    'Transfer-Encoding: chunked',
  ],
  ...[
    'Transfer-Encoding: gzip',
    'Upgrade: h2c',
    'Range: bytes=0-1',
    'X: y\r\n folded',
    ' X: y',
    'X : y',
    'Ä: y',
    'X: \x01',
  ],
);
const lineEnd = fc.oneof({ weight: 9, arbitrary: fc.constant('\r\n') }, fc.constantFrom('\n', '\r'));

/** A request that is served, or one with a small fault. */
const request = fc
  .record({ method, path, version, fields: fc.array(field, { maxLength: 3 }), end: lineEnd, host: fc.nat(9) })
  .map(({ method, path, version, fields, end, host }) => {
    const lines = [`${method} ${path} ${version}`, ...(host > 0 ? ['Host: lxd'] : []), ...fields];
    return `${lines.join(end)}${end}${end}`;
  })
  .chain((text) => fc.constantFrom(text, text, text, `${text}abc`, `${text}3\r\nabc\r\n0\r\n\r\n`));

/** A byte that is changed, left out or inserted. */
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.nat(2),
  byte: fc.nat(255),
});

/** Some requests, the cuts between the writes, and wrong bytes. */
const exchangeOf = fc.record({
  requests: fc.array(request, { minLength: 1, maxLength: 4 }),
  mutations: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(mutation, { maxLength: 3 })),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
});

function bytesOf(
  requests: readonly string[],
  mutations: readonly { at: number; kind: number; byte: number }[],
): string {
  let bytes = Buffer.from(requests.join(''), 'utf8').toString('latin1');
  for (const { at, kind, byte } of mutations) {
    const place = Math.floor(at * bytes.length);
    const put = kind === 0 ? '' : String.fromCharCode(byte);
    bytes = bytes.slice(0, place) + put + bytes.slice(place + (kind === 2 ? 0 : 1));
  }
  return bytes;
}

/** Everything that comes back for bytes that are sent in pieces, followed by a half-close. */
async function answerTo(socketPath: string, pieces: readonly string[]): Promise<string> {
  const client = new RawClient(socketPath);
  for (const piece of pieces) {
    await new Promise<void>((resolve) => client.socket.write(piece, 'latin1', () => resolve()));
    // Another turn of the event loop, so that the piece is sent alone.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  client.socket.end();
  return (await client.end()).replaceAll(/Date: [^\r]+/g, 'Date: D');
}

it('gives the same bytes as the server alone, for whole, cut, pipelined and malformed requests', async () => {
  let withLane = 0;
  await fc.assert(
    fc.asyncProperty(exchangeOf, async ({ requests, mutations, cuts }) => {
      const bytes = bytesOf(requests, mutations);
      const places = [
        0,
        ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b),
        bytes.length,
      ];
      const pieces = places.slice(1).map((end, index) => bytes.slice(places[index], end));
      const viewed = guest.backend.viewed;
      const laned = await answerTo(guest.path, pieces);
      if (guest.backend.viewed === viewed && /^HTTP\/1\.1 [234]/.test(laned)) withLane++;
      expect(laned).toBe(await answerTo(guest.stockPath, pieces));
    }),
    { numRuns: 3000 },
  );
  // Otherwise the lane was not compared with the server.
  expect(withLane).toBeGreaterThan(500);
}, 120_000);
