import { get } from 'node:http';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../base/testing/until.ts';
import { ask, type GuestFixture, RawClient, sampleView, startGuest } from './testing/harness.ts';

const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n\r\n';
const CONFIG_EVENT =
  '{"type":"config","timestamp":"2026-01-02T03:04:05.678Z","metadata":{"key":"user.a","old_value":"","value":"1"}}\n';
const DEVICE_EVENT =
  '{"type":"device","timestamp":"2026-01-02T03:04:05.678Z","metadata":{"action":"added","config":{"path":"/mnt","type":"disk"},"name":"mnt"}}\n';
const UPGRADE =
  'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const SWITCHED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';
/** A ping frame without payload, as the server sends it. */
const PING = '\x89\x00';

async function openStream(guest: GuestFixture, query = '', version = '1.1'): Promise<RawClient> {
  const client = new RawClient(guest.path);
  client.send(`GET /1.0/events${query} HTTP/${version}\r\nHost: x\r\n\r\n`);
  await client.until((received) => received.endsWith('\r\n\r\n'));
  return client;
}

async function openWebSocket(guest: GuestFixture): Promise<WebSocket> {
  const websocket = new WebSocket(`ws+unix://${guest.path}:/1.0/events`);
  await new Promise((resolve, reject) => websocket.on('open', resolve).on('error', reject));
  return websocket;
}

describe('the plain stream', () => {
  it('sends its header at once, then one line per event, keys in order', async () => {
    await using guest = await startGuest();
    const client = await openStream(guest, '', '1.0');
    guest.backend.setKey(1, 'user.a', '1');
    guest.backend.emit(1, 'device', { name: 'mnt', config: { type: 'disk', path: '/mnt' }, action: 'added' });
    await client.until((received) => received === STREAM_HEAD + CONFIG_EVENT + DEVICE_EVENT);
    client.socket.destroy();
  });

  it('can be read by a strict client', async () => {
    await using guest = await startGuest();
    const chunk = await new Promise<string>((resolve) => {
      const asking = get({ socketPath: guest.path, path: '/1.0/events' }, (answer) => {
        guest.backend.setKey(1, 'user.a', '1');
        answer.once('data', (data: Buffer) => {
          resolve(data.toString());
          answer.destroy();
        });
      });
      asking.on('error', () => {});
    });
    expect(chunk).toBe(CONFIG_EVENT);
  });

  it('sends only the types asked for, and never lifecycle events or those of other instances', async () => {
    await using guest = await startGuest();
    const client = await openStream(guest, '?type=device,lifecycle');
    guest.backend.emit(1, 'lifecycle', { action: 'instance-ready' });
    guest.backend.setKey(1, 'user.a', '1');
    guest.backend.emit(2, 'device', { name: 'other' });
    guest.backend.emit(1, 'device', { name: 'mnt', config: { type: 'disk', path: '/mnt' }, action: 'added' });
    await client.until((received) => received === STREAM_HEAD + DEVICE_EVENT);
    client.socket.destroy();
  });

  it('keeps the order of many events', async () => {
    await using guest = await startGuest();
    const client = await openStream(guest);
    for (let i = 0; i < 4000; i++) guest.backend.setKey(1, `user.k${i}`, 'v');
    const received = await client.until((text) => text.includes('"user.k3999"'));
    const keys = [...received.matchAll(/"key":"user\.k(\d+)"/g)].map((match) => Number(match[1]));
    expect(keys).toEqual(Array.from({ length: 4000 }, (_, i) => i));
    client.socket.destroy();
  });

  it.each(['a byte', 'a half-close', 'a byte sent with the request'])(
    'ends at %s of the client',
    async (how) => {
      await using guest = await startGuest();
      const client = new RawClient(guest.path);
      client.send(`GET /1.0/events HTTP/1.1\r\nHost: x\r\n\r\n${how.includes('with') ? 'x' : ''}`);
      if (how === 'a byte')
        await client.until((received) => received.endsWith('\r\n\r\n')).then(() => client.send('x'));
      if (how === 'a half-close') client.socket.end();
      expect(await client.end()).toBe(STREAM_HEAD);
      await until(() => guest.server.connections() === 0);
      expect(guest.backend.subscribers).toBe(0);
    },
  );

  it('drops a reader that stalls; other readers get all events', async () => {
    await using guest = await startGuest({ eventStallMs: 1_000 });
    const stalled = await openStream(guest);
    const reader = await openStream(guest);
    stalled.socket.pause();
    const value = 'x'.repeat(100_000);
    for (let i = 0; i < 15; i++) guest.backend.setKey(1, `user.k${i}`, value);
    await reader.until((text) => text.includes('user.k14'));
    await until(() => guest.backend.subscribers <= 1);
    guest.backend.setKey(1, 'user.last', 'v');
    await reader.until((text) => text.includes('user.last'));
    stalled.socket.resume();
    expect(await stalled.end()).not.toContain('user.last');
    reader.socket.destroy();
  });

  it.each([
    ['bytes', { eventQueueBytes: 1_000_000 }],
    ['messages', { eventQueueMessages: 10 }],
  ])('drops a reader with too many waiting %s, without a gap in its events', async (_what, limits) => {
    await using guest = await startGuest(limits);
    const stalled = await openStream(guest);
    stalled.socket.pause();
    for (let i = 0; i < 40; i++) guest.backend.setKey(1, `user.k${i}`, 'x'.repeat(100_000));
    await until(() => guest.backend.subscribers === 0);
    stalled.socket.resume();
    const keys = [...(await stalled.end()).matchAll(/"key":"user\.k(\d+)"/g)].map((match) =>
      Number(match[1]),
    );
    expect(keys).toEqual(keys.map((_, i) => i));
    expect(keys.length).toBeLessThan(40);
  });

  it('drops readers that together leave too much untaken, but no reader that takes its events', async () => {
    await using guest = await startGuest({ eventInstanceBytes: 300_000, eventStallMs: 600_000 });
    const stalled = [await openStream(guest), await openStream(guest), await openStream(guest)];
    for (const { socket } of stalled) socket.pause();
    const reader = await openStream(guest);
    for (let i = 0; i < 60; i++) {
      guest.backend.setKey(1, `user.k${i}`, 'x'.repeat(20_000));
      await reader.until((text) => text.includes(`user.k${i}"`));
    }
    expect(guest.backend.subscribers).toBeLessThan(1 + stalled.length);
    for (const { socket } of [...stalled, reader]) socket.destroy();
  });

  it('sends one event that is larger than the queue', async () => {
    await using guest = await startGuest({ eventQueueBytes: 1000 });
    const client = await openStream(guest);
    guest.backend.setKey(1, 'user.big', 'x'.repeat(1_000_000));
    await client.until((received) => received.endsWith('}\n'));
    client.socket.destroy();
  });

  it('is limited in number for each instance', async () => {
    await using guest = await startGuest({ eventStreams: 2 });
    const open = [await openStream(guest), await openStream(guest)];
    expect(await ask(guest.path, 'GET /1.0/events')).toMatchObject({ 1: 'Service Unavailable\n' });
    guest.backend.views.set(2, sampleView({ instanceId: 2 }));
    guest.backend.caller = { kind: 'instance', instanceId: 2, runNumber: 1 };
    open.push(await openStream(guest));
    guest.backend.caller = { kind: 'instance', instanceId: 1, runNumber: 1 };
    open[0]!.socket.destroy();
    await until(() => guest.backend.subscribers <= 2);
    open.push(await openStream(guest));
    for (const client of open) client.socket.destroy();
  });

  it('is the answer to any other Upgrade', async () => {
    await using guest = await startGuest();
    const client = new RawClient(guest.path);
    client.send(
      `GET /1.0/events HTTP/1.1\r\nHost: x\r\n${UPGRADE.replace(': websocket', ': WebSocket')}\r\n`,
    );
    await client.until((received) => received === STREAM_HEAD);
    client.socket.destroy();
  });
});

describe('the websocket', () => {
  it('agrees on no subprotocol and no extension, pings at once, sends text messages', async () => {
    await using guest = await startGuest();
    const client = new RawClient(guest.path);
    const offers = 'Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: permessage-deflate\r\n';
    client.send(`GET /1.0/events HTTP/1.1\r\nHost: x\r\n${UPGRADE}${offers}\r\n`);
    await client.until((received) => received === SWITCHED + PING);
    guest.backend.setKey(1, 'user.a', '1');
    const frame = `\x81${String.fromCharCode(CONFIG_EVENT.length)}${CONFIG_EVENT}`;
    await client.until((received) => received === SWITCHED + PING + frame);
    client.socket.destroy();
  });

  it('delivers in order to a client, and answers its pings', async () => {
    await using guest = await startGuest();
    const websocket = await openWebSocket(guest);
    const pong = new Promise<string>((resolve) => websocket.on('pong', (data) => resolve(String(data))));
    websocket.ping('hello');
    expect(await pong).toBe('hello');
    const keys: string[] = [];
    const all = new Promise<void>((resolve) => {
      websocket.on('message', (data, binary) => {
        expect(binary).toBe(false);
        keys.push(JSON.parse(String(data)).metadata.key);
        if (keys.length === 100) resolve();
      });
    });
    for (let i = 0; i < 100; i++) guest.backend.setKey(1, `user.k${i}`, 'v');
    await all;
    expect(keys).toEqual(Array.from({ length: 100 }, (_, i) => `user.k${i}`));
    websocket.terminate();
  });

  it('answers a close with the same code', async () => {
    await using guest = await startGuest();
    const websocket = await openWebSocket(guest);
    const code = new Promise((resolve) => websocket.on('close', resolve));
    websocket.close(1000);
    expect(await code).toBe(1000);
  });

  it.each([['text'], ['binary']])('ends without a close frame at any %s message', async (kind) => {
    await using guest = await startGuest();
    const websocket = await openWebSocket(guest);
    const code = new Promise((resolve) => websocket.on('close', resolve));
    websocket.send(kind === 'text' ? 'hello' : Buffer.from('hello'));
    expect(await code).toBe(1006);
    expect(guest.backend.subscribers).toBe(0);
  });

  it('ends with 1002 at a frame that is not masked', async () => {
    await using guest = await startGuest({ lingerTimeoutMs: 50 });
    const client = new RawClient(guest.path).send(`GET /1.0/events HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`);
    await client.until((received) => received === SWITCHED + PING);
    client.send('\x81\x01a');
    expect(await client.end()).toBe(`${SWITCHED}${PING}\x88\x02\x03\xea`);
  });

  it('ends without a close frame after three unanswered pings', async () => {
    await using guest = await startGuest({ pingIntervalMs: 20 });
    const client = new RawClient(guest.path).send(`GET /1.0/events HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`);
    expect(await client.end()).toBe(SWITCHED + PING.repeat(3));
  });

  it('stays open while pings are answered', async () => {
    await using guest = await startGuest({ pingIntervalMs: 10 });
    const websocket = await openWebSocket(guest);
    let pings = 0;
    await new Promise<void>((resolve) => {
      websocket.on('ping', () => {
        pings++;
        if (pings === 8) resolve();
      });
    });
    expect(websocket.readyState).toBe(WebSocket.OPEN);
    websocket.terminate();
  });

  it('holds no pongs for a client that does not read', async () => {
    await using guest = await startGuest();
    const client = new RawClient(guest.path).send(`GET /1.0/events HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`);
    await client.until((received) => received === SWITCHED + PING);
    client.socket.pause();
    const ping = `\x89\xfd\0\0\0\0${'p'.repeat(125)}`;
    await new Promise((resolve) => client.socket.write(ping.repeat(40_000), 'latin1', resolve));
    client.socket.resume();
    client.socket.end();
    const pongs = (await client.end()).length / (2 + 125);
    expect(pongs).toBeGreaterThan(1);
    expect(pongs).toBeLessThan(20_000);
  });

  it('answers many pings that come together with one pong, for the last of them', async () => {
    await using guest = await startGuest();
    const client = new RawClient(guest.path).send(`GET /1.0/events HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`);
    await client.until((received) => received === SWITCHED + PING);
    client.send(`${'\x89\x81\0\0\0\0a'.repeat(2_000)}\x89\x81\0\0\0\0z`);
    const received = await client.until((text) => text.endsWith('\x8a\x01z'));
    expect(received.split('\x8a').length - 1).toBeLessThan(20);
    client.socket.destroy();
  });

  it('closes with 1001 when the host ends it', async () => {
    await using guest = await startGuest();
    const websocket = await openWebSocket(guest);
    const code = new Promise((resolve) => websocket.on('close', resolve));
    expect(guest.server.closeInstance(1, 'security.devlxd')).toBe(1);
    expect(await code).toBe(1001);
  });

  it.each([
    ['no key', UPGRADE.replace(/Sec-WebSocket-Key[^\r]+\r\n/, '')],
    ['a short key', UPGRADE.replace('dGhlIHNhbXBsZSBub25jZQ==', 'abc')],
    ['another version', UPGRADE.replace('13', '12')],
    ['no Connection: Upgrade', UPGRADE.replace(', Upgrade', '')],
  ])('answers a handshake with %s with one line', async (_what, headers) => {
    await using guest = await startGuest();
    expect(await ask(guest.path, 'GET /1.0/events', headers)).toEqual([
      'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nSec-Websocket-Version: 13\r\nX-Content-Type-Options: nosniff\r\nDate: D\r\nContent-Length: 12\r\n\r\n',
      'Bad Request\n',
    ]);
  });

  it('refuses another origin with 403, and accepts its own', async () => {
    await using guest = await startGuest();
    expect((await ask(guest.path, 'GET /1.0/events', `${UPGRADE}Origin: http://evil\r\n`))[1]).toBe(
      'Forbidden\n',
    );
    const [head] = await ask(guest.path, 'GET /1.0/events', `${UPGRADE}Origin: http://LXD\r\n`);
    expect(head === '' || head.startsWith('HTTP/1.1 101 ')).toBe(true);
  });
});
