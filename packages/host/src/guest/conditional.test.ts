import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { until } from '../base/testing/until.ts';
import { etagOf } from '../core/etags.ts';
import { readWait } from './conditional.ts';
import { ask, type GuestFixture, RawClient, sampleView, startGuest } from './testing/harness.ts';

const KEY = 'GET /1.0/config/user.foo';
const TAG = etagOf('bar');
const KNOWN = `If-None-Match: ${TAG}\r\n`;
const NOT_MODIFIED = `HTTP/1.1 304 Not Modified\r\nETag: ${TAG}\r\nDate: D\r\n\r\n`;
const OK = `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nETag: ${TAG}\r\nDate: D\r\nContent-Length: 3\r\n\r\n`;

/** A view in which user.foo has another value, or none if undefined. */
function viewWith(value: string | undefined) {
  const { config, listed } = sampleView();
  const others = [...config].filter(([key]) => key !== 'user.foo');
  const changed: [string, string][] = value === undefined ? others : [...others, ['user.foo', value]];
  return sampleView({
    config: new Map(changed),
    listed: listed.filter((key) => value || key !== 'user.foo'),
  });
}

/** Sends a request that waits, and returns when the host holds it. */
async function waiting(guest: GuestFixture, target = '/1.0/config/user.foo?wait=300', headers = KNOWN) {
  const before = guest.backend.watched;
  const client = new RawClient(guest.path).send(`GET ${target} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
  await until(() => guest.backend.watched > before);
  return client;
}

const undated = (received: string) => received.replaceAll(/Date: [^\r]+/g, 'Date: D');

describe('If-None-Match', () => {
  it('is answered with 304 when it names the value, otherwise with the value', async () => {
    await using guest = await startGuest();
    expect((await ask(guest.path, KEY, KNOWN)).join('')).toBe(NOT_MODIFIED);
    expect((await ask(guest.path, KEY, `If-None-Match: "x", W/${TAG}\r\n`))[0]).toBe(NOT_MODIFIED);
    expect((await ask(guest.path, KEY.replace('GET', 'HEAD'), KNOWN))[0]).toBe(NOT_MODIFIED);
    expect((await ask(guest.path, KEY, 'If-None-Match: "x"\r\n')).join('')).toBe(`${OK}bar`);
    expect((await ask(guest.path, KEY, '')).join('')).toBe(`${OK}bar`);
  });

  it('works for the list of keys too', async () => {
    await using guest = await startGuest();
    const [head] = await ask(guest.path, 'GET /1.0/config');
    const tag = /ETag: (.*)\r\n/.exec(head)?.[1];
    const again = await ask(guest.path, 'GET /1.0/config', `If-None-Match: ${tag}\r\n`);
    expect(again[0]).toContain('304 Not Modified');
    guest.backend.swapView(1, viewWith('another value'));
    expect((await ask(guest.path, 'GET /1.0/config', `If-None-Match: ${tag}\r\n`))[0]).toContain('304 ');
    guest.backend.swapView(1, viewWith(undefined));
    expect((await ask(guest.path, 'GET /1.0/config', `If-None-Match: ${tag}\r\n`))[0]).toContain('200 OK');
  });

  it.each([
    ['/1.0/config/user.nope', '404 Not Found'],
    ['/1.0/config/volatile.x', '403 Forbidden'],
    ['/1.0/devices', '200 OK'],
    ['/1.0', '200 OK'],
  ])('changes nothing for %s', async (path, status) => {
    await using guest = await startGuest();
    expect((await ask(guest.path, `GET ${path}?wait=300`, 'If-None-Match: *\r\n'))[0]).toContain(status);
    expect(guest.backend.watched).toBe(0);
  });
});

describe('wait', () => {
  it('holds the answer until the value changes, and ignores other changes', async () => {
    await using guest = await startGuest();
    const client = await waiting(guest);
    guest.backend.swapView(1, sampleView({ ready: true }));
    guest.backend.swapView(2, viewWith('foreign'));
    guest.backend.swapView(1, viewWith('new'));
    const received = undated(await client.until((text) => text.endsWith('new')));
    expect(received).toBe(`${OK.replace(TAG, etagOf('new'))}new`);
    expect(guest.backend.watched).toBe(0);
    // The connection stays open.
    client.send(`${KEY} HTTP/1.1\r\nHost: x\r\n${KNOWN}\r\n`);
    await client.until((text) => text.split('\r\n\r\nnew').length === 3);
    client.socket.destroy();
  });

  it('ends with 304 when its time is over', async () => {
    await using guest = await startGuest();
    const started = performance.now();
    expect((await ask(guest.path, `${KEY}?wait=0`, KNOWN))[0]).toBe(NOT_MODIFIED);
    const client = await waiting(guest, '/1.0/config/user.foo?wait=1');
    expect(undated(await client.until((text) => text.endsWith('\r\n\r\n')))).toBe(NOT_MODIFIED);
    expect(performance.now() - started).toBeGreaterThan(900);
    client.socket.destroy();
  });

  it('may take longer than a connection may be idle', async () => {
    await using guest = await startGuest({ idleTimeoutMs: 40, requestTimeoutMs: 40, stallTimeoutMs: 40 });
    const client = await waiting(guest, '/1.0/config/user.foo?wait=1');
    expect(undated(await client.until((text) => text.endsWith('\r\n\r\n')))).toBe(NOT_MODIFIED);
    client.socket.destroy();
  });

  it('answers at once when the request names another value or none', async () => {
    await using guest = await startGuest();
    for (const headers of ['', 'If-None-Match: "x"\r\n']) {
      expect((await ask(guest.path, `${KEY}?wait=300`, headers)).join('')).toBe(`${OK}bar`);
    }
  });

  it.each([
    ['the key goes away', undefined, '404 Not Found'],
    ['the guest API is switched off', { devlxd: false }, '403 Forbidden'],
  ])('is answered when %s', async (_what, changes, status) => {
    await using guest = await startGuest();
    const client = await waiting(guest);
    guest.backend.swapView(1, changes === undefined ? viewWith(undefined) : sampleView(changes));
    expect(await client.until((text) => text.includes('\r\n\r\n'))).toContain(status);
    client.socket.destroy();
  });

  it('ends with the run in which it began', async () => {
    await using guest = await startGuest();
    const client = await waiting(guest);
    guest.backend.swapView(1, undefined);
    expect(await client.end()).toContain('500 Internal Server Error');
  });

  it('ends with the connections of its instance', async () => {
    await using guest = await startGuest();
    const client = await waiting(guest);
    expect(guest.server.closeInstance(1, 'stopped')).toBe(1);
    expect(await client.end()).toBe('');
    await until(() => guest.backend.watched === 0);
  });

  it('is answered at once when the daemon stops', async () => {
    await using guest = await startGuest();
    const client = await waiting(guest);
    const stopped = guest.server.stop(60_000);
    const closing = NOT_MODIFIED.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
    expect(undated(await client.end())).toBe(closing);
    await stopped;
  });

  it('ends when the client half-closes, hangs up or sends more', async () => {
    await using guest = await startGuest();
    const gone = await waiting(guest);
    gone.socket.destroy();
    await until(() => guest.backend.watched === 0);
    const half = await waiting(guest);
    half.socket.end();
    expect(undated(await half.end())).toBe(NOT_MODIFIED);
    const more = await waiting(guest);
    more.send(`${KEY} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(undated(await more.until((text) => text.endsWith('bar')))).toBe(`${NOT_MODIFIED}${OK}bar`);
    more.socket.destroy();
    expect((await ask(guest.path, `${KEY}?wait=300`, KNOWN))[0]).toBe(NOT_MODIFIED);
    expect(guest.backend.watched).toBe(0);
  });

  it('is limited in number for each instance', async () => {
    await using guest = await startGuest({ heldRequests: 2 });
    const held = [await waiting(guest), await waiting(guest)];
    const refused = new RawClient(guest.path).send(`${KEY}?wait=300 HTTP/1.1\r\nHost: x\r\n${KNOWN}\r\n`);
    expect(await refused.until((text) => text.endsWith('Unavailable\n'))).toContain(
      '503 Service Unavailable',
    );
    guest.backend.views.set(2, sampleView({ instanceId: 2 }));
    guest.backend.caller = { kind: 'instance', instanceId: 2, runNumber: 1 };
    held.push(await waiting(guest));
    guest.backend.caller = { kind: 'instance', instanceId: 1, runNumber: 1 };
    held[0]?.socket.destroy();
    await until(() => guest.backend.watched === 2);
    held.push(await waiting(guest));
    for (const client of [...held, refused]) client.socket.destroy();
  });

  it.each(['', 'x', '-1', '1.5', '1s', '99999999999'])('refuses wait=%s', async (text) => {
    await using guest = await startGuest();
    expect(await ask(guest.path, `${KEY}?wait=${text}`, KNOWN)).toMatchObject({
      1: 'Invalid wait: it takes a number of seconds\n',
    });
  });

  it('reads whole seconds, cut to five minutes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999 }), (seconds) => {
        expect(readWait(String(seconds))).toBe(Math.min(seconds, 300));
      }),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const seconds = readWait(text);
        expect(seconds === undefined || (Number.isInteger(seconds) && seconds <= 300)).toBe(true);
        expect(seconds === undefined).toBe(!/^[0-9]{1,9}$/.test(text));
      }),
    );
  });
});
