import { afterEach, beforeEach, expect, test as it } from 'vitest';
import type { WebSocket } from 'ws';
import { openEvents } from './events.ts';
import type { FakeHost } from './testing/fake-host.ts';
import { startFakeHost } from './testing/fake-host.ts';

let host: FakeHost;
beforeEach(async () => {
  host = await startFakeHost();
});
afterEach(() => host.stop());

const event = (n: number) => JSON.stringify({ type: 'lifecycle', timestamp: '', metadata: { n } });

/** Opens the stream; also returns the daemon's end of it. */
async function open(types: readonly string[] = []) {
  const arrived = Promise.withResolvers<{ socket: WebSocket; url: string }>();
  host.onSocket = (socket, url) => arrived.resolve({ socket, url });
  const events = await openEvents(host.socketPath, types);
  return { events, ...(await arrived.promise) };
}

it('events come in order, also those that arrive before they are read', async () => {
  const arrived = Promise.withResolvers<void>();
  host.onSocket = (socket) => {
    for (const n of [1, 2, 3]) socket.send(event(n));
    arrived.resolve();
  };
  const events = await openEvents(host.socketPath);
  await arrived.promise;
  const seen: unknown[] = [];
  for await (const { metadata } of events) {
    seen.push((metadata as unknown as { n: number }).n);
    if (seen.length === 3) events.close();
  }
  expect(seen).toEqual([1, 2, 3]);
});

it('the wanted types are asked for', async () => {
  const { events, url } = await open(['lifecycle', 'operation']);
  expect(url).toBe('/1.0/events?type=lifecycle%2Coperation');
  events.close();
});

it('close ends an iteration that waits', async () => {
  const { events } = await open();
  const iterator = events[Symbol.asyncIterator]();
  const next = iterator.next();
  events.close();
  expect((await next).done).toBe(true);
});

it('the iteration fails when the daemon ends the stream', async () => {
  const { events, socket } = await open();
  const next = events[Symbol.asyncIterator]().next();
  socket.close(1001);
  await expect(next).rejects.toThrow('The daemon ended the stream of events (1001)');
});

it('no stream is opened without a daemon', async () => {
  await expect(openEvents(`${host.dir}/none`)).rejects.toThrow('is not running');
});
