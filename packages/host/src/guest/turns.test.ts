import { describe, expect, it } from 'vitest';
import { type GuestFixture, RawClient, sampleView, startGuest } from './testing/harness.ts';

const CONNECTIONS = 64;
const PIPELINED = 16;
const ALL = CONNECTIONS * PIPELINED;
/** Requests of a flood that may be answered before the other instance: those of a few event loop turns. */
const BEFORE_MAX = ALL / 8;
/** Time that a read of the journal takes on a slow disk. */
const READ_MS = 1;

const head = (line: string, headers = '') => `${line} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
const body = (line: string, text: string) => head(line, `Content-Length: ${text.length}\r\n`) + text;
const chunked = (line: string, chunks: string) =>
  `${head(line, 'Transfer-Encoding: chunked\r\n')}${chunks}0\r\n\r\n`;
const keys = Array.from({ length: 1_200 }, (_, at) => `"${(at * 7919).toString(36)}":1`).join();

/** Connects as an instance, and waits until the server knows the caller. */
async function connectAs(guest: GuestFixture, instanceId: number): Promise<RawClient> {
  guest.backend.caller = { kind: 'instance', instanceId, runNumber: 1 };
  const client = new RawClient(guest.path).send(head('HEAD /'));
  await client.until((received) => received.endsWith('\r\n\r\n'));
  client.received = '';
  return client;
}

async function startTwo(): Promise<GuestFixture> {
  const guest = await startGuest({ connectionsPerKey: CONNECTIONS });
  guest.backend.views.set(2, sampleView({ instanceId: 2, name: 'c2' }));
  for (let each = 0; each < 500; each++) guest.backend.setKey(1, `user.k${each}`, 'x'.repeat(100));
  const read = guest.backend.eventsAfter.bind(guest.backend);
  guest.backend.eventsAfter = (query) => {
    const end = performance.now() + READ_MS;
    while (performance.now() < end);
    return read(query);
  };
  return guest;
}

describe('an instance that floods', () => {
  it.each([
    ['long queries', head(`GET /1.0/events?${'%61&'.repeat(4_000)}since=now&limit=1`)],
    ['long lists of events', head('GET /1.0/events?since=0&limit=256')],
    ['lists of a type without events', head('GET /1.0/events?since=0&limit=1&type=device')],
    ['small chunks', chunked('PATCH /1.0', '1\r\n{\r\n'.repeat(2_000))],
    ['large JSON', body('PATCH /1.0', `{${keys}}`)],
    ['redirects', head(`GET //${'"'.repeat(16_000)}`)],
    ['tags', head('GET /1.0/config', `If-None-Match: ${'"a",'.repeat(4_000)}\r\n`)],
  ])('with %s lets another one be answered before an eighth of its requests are', async (_, request) => {
    await using guest = await startTwo();
    const flood: RawClient[] = [];
    for (let each = 0; each < CONNECTIONS; each++) flood.push(await connectAs(guest, 1));
    const other = await connectAs(guest, 2);
    let answered = 0;
    const count = (data: Buffer) => {
      answered += data.toString('latin1').split('HTTP/1.1 ').length - 1;
    };
    for (const { socket } of flood) socket.on('data', count);
    for (const client of flood) client.send(request.repeat(PIPELINED));
    other.send(head('GET /1.0/config/user.foo'));
    await other.until((received) => received.endsWith('bar'));
    expect(answered).toBeLessThan(BEFORE_MAX);
    for (const client of [...flood, other]) client.socket.destroy();
  });
});
