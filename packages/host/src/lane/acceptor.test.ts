import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../http/connection-limits.ts';
import { EpollSet } from '../native/epoll-set.ts';
import { close } from '../native/libc.ts';
import { listenUnix } from '../native/sockets.ts';
import { Acceptor } from './acceptor.ts';
import type { Client } from './client.ts';
import { Connections } from './connections.ts';
import { ACCEPT_BATCH, FLOODED_BACKLOG, FLOODED_MS } from './lane-limits.ts';
import { type Found, LaneRuns } from './lane-runs.ts';
import { type Report, SHARED_SLOTS } from './messages.ts';
import { Turns } from './turns.ts';

/** Counts the connections that it is asked to identify. */
class CountedRuns extends LaneRuns {
  asked = 0;

  override identify(sockets: readonly number[]): Found[] {
    this.asked += sockets.length;
    return super.identify(sockets);
  }
}

/** Counts the connections that it is asked to admit. */
class CountedConnections extends Connections {
  asked = 0;

  override admit(...args: Parameters<Connections['admit']>): ReturnType<Connections['admit']> {
    this.asked++;
    return super.admit(...args);
  }
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: lxd\r\n\r\n';

let folder: string;
let listening: number;
let epoll: EpollSet;
let runs: CountedRuns;
let connections: CountedConnections;
let turns: Turns<Client>;
let acceptor: Acceptor;
let reports: Report[];

beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-acceptor-');
  listening = listenUnix(join(folder, 'sock'), 4096);
  epoll = new EpollSet();
  runs = new CountedRuns();
  reports = [];
  const [owned, shared] = [new Uint8Array(8192), new Int32Array(SHARED_SLOTS)];
  const report = (each: Report) => void reports.push(each);
  const limits = DEFAULT_LIMITS;
  connections = new CountedConnections({ epoll, report, limits, shared, owned, openFilesMax: 8192 });
  turns = new Turns<Client>();
  acceptor = new Acceptor({ epoll, runs, connections, turns, owned, report, newcomers: undefined });
  acceptor.listen(listening);
});
afterEach(() => {
  for (const client of connections.all()) connections.close(client);
  epoll.close();
  close(listening);
  rmSync(folder, { recursive: true });
});

async function connected(text?: string): Promise<Socket> {
  const socket = connect(join(folder, 'sock'));
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  if (text !== undefined) await new Promise<void>((resolve) => socket.write(text, () => resolve()));
  return socket;
}

async function ended(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => socket.once('close', resolve).destroy());
}

function acceptAll(): void {
  acceptor.note(listening);
  while (acceptor.busy) acceptor.accept(0);
}

it('does not identify clients that have hung up without a request while many others wait', async () => {
  for (let count = 0; count < 10 * ACCEPT_BATCH; count++) await ended(await connected());
  const waits = await connected();
  acceptAll();
  // Only the last batch is identified, which was not full.
  expect(runs.asked).toBeLessThanOrEqual(ACCEPT_BATCH);
  expect(connections.all().length).toBeGreaterThan(0);
  waits.destroy();
});

/** How many of `count` connections find a place in the queue while none is accepted. */
async function queued(count: number): Promise<number> {
  const sockets = Array.from({ length: count }, () => connect(join(folder, 'sock')));
  const outcomes = await Promise.all(
    sockets.map((socket) =>
      once(socket, 'connect').then(
        () => true,
        () => false,
      ),
    ),
  );
  for (const socket of sockets) socket.destroy();
  return outcomes.filter(Boolean).length;
}

it('keeps the queue short in a flood of worthless connections, and deep otherwise', async () => {
  const count = 4 * FLOODED_BACKLOG;
  expect(await queued(count)).toBe(count);
  acceptAll();
  expect(await queued(count)).toBe(FLOODED_BACKLOG + 1);
  acceptAll();
  acceptor.sweep(FLOODED_MS);
  expect(await queued(count)).toBe(count);
});

it('serves a request whose client has hung up, since it may change something', async () => {
  for (let count = 0; count < ACCEPT_BATCH; count++) await ended(await connected(REQUEST));
  acceptAll();
  expect(runs.asked).toBe(ACCEPT_BATCH);
});

it('closes it unread when many wait and its caller is in no instance, where it can change nothing', async () => {
  for (let count = 0; count < 4 * ACCEPT_BATCH; count++) await ended(await connected(REQUEST));
  acceptAll();
  expect(runs.asked).toBe(4 * ACCEPT_BATCH);
  // Only the last batch is admitted, which was not full.
  expect(connections.asked).toBeLessThanOrEqual(ACCEPT_BATCH);
});

it('closes none unread while instances are started, since a caller may be in one of them', async () => {
  acceptor.starting(true);
  for (let count = 0; count < 2 * ACCEPT_BATCH; count++) await ended(await connected(REQUEST));
  acceptAll();
  expect(connections.asked).toBe(2 * ACCEPT_BATCH);
});

it('closes connections of the key that has most, but not its guaranteed ones, without descriptors', async () => {
  const sockets: Socket[] = [];
  for (let count = 0; count < 10; count++) sockets.push(await connected());
  acceptAll();
  while (!turns.none) turns.take();
  expect([connections.all().length, connections.closeOfLargest(), connections.all().length]).toEqual([
    10, 6, 4,
  ]);
  for (const socket of sockets) socket.destroy();
});
