import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sampleView } from '../guest/testing/harness.ts';
import { DEFAULT_LIMITS } from '../http/connection-limits.ts';
import { duplicate } from '../native/descriptors.ts';
import { openWake, wake } from '../native/eventfd.ts';
import { close } from '../native/libc.ts';
import { listenUnix } from '../native/sockets.ts';

import { UNBEGUN_PER_KEY_MAX } from './lane-limits.ts';
import { Loop } from './loop.ts';
import { CLOSED, OPEN, type Order, type Report, SHARED_SLOTS } from './messages.ts';
import { type Apart, factsOfThisProcess, startApart } from './testing/harness.ts';

// Thousands of rounds, or many processes, take long on a machine that has other work.
vi.setConfig({ testTimeout: 60_000 });

const GET = 'GET /1.0/config/user.foo HTTP/1.1\r\nHost: lxd\r\n\r\n';
const PATCH = 'PATCH /1.0 HTTP/1.1\r\nHost: lxd\r\nContent-Length: 17\r\n\r\n{"state":"Ready"}';
/** A turn serves at least one connection; a turn that was interrupted costs ten rounds. */
const FEW_TURNS = 25;

let folder: string;
let listening: number;
let wakes: number;
let orders: Order[];
let reports: Report[];
let loop: Loop;
let sockets: Socket[];
let owned: Uint8Array;
let shared: Int32Array<ArrayBuffer>;

/** A lane whose turns the test makes, with this process as root of instance 1. */
beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-loop-');
  listening = listenUnix(join(folder, 'sock'), 4096);
  chmodSync(folder, 0o755);
  chmodSync(join(folder, 'sock'), 0o666);
  wakes = openWake();
  const { init: _, ...facts } = factsOfThisProcess();
  orders = [
    { kind: 'run', facts, view: sampleView() },
    { kind: 'serve', listening },
  ];
  reports = [];
  sockets = [];
  owned = new Uint8Array(4096);
  shared = new Int32Array(SHARED_SLOTS);
  const limits = { ...DEFAULT_LIMITS, connectionsPerKey: 1000 };
  loop = new Loop(
    { shared, owned, wake: wakes, limits, openFilesMax: 4096, findsStorms: false },
    { next: () => orders.shift(), report: (report) => void reports.push(report) },
  );
  loop.turn();
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  orders.push({ kind: 'stop', acceptWaiting: false, leave: false });
  wake(wakes);
  loop.run();
  close(listening);
  close(wakes);
  rmSync(folder, { recursive: true });
});

/** A connection of this process, which is root of instance 1. */
async function connected(): Promise<Socket> {
  const socket = connect(join(folder, 'sock'));
  sockets.push(socket);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return socket;
}

const written = (socket: Socket, text: string) =>
  new Promise<void>((resolve) => socket.write(text, () => resolve()));

/** Makes turns that do not wait. */
function turnSome(): void {
  for (let turn = 0; turn < 20; turn++) {
    wake(wakes);
    loop.turn();
  }
}

/** Makes turns until `holds` is true; other programs get time in between. */
async function turnUntil(holds: () => boolean): Promise<number> {
  let turns = 0;
  for (; !holds(); turns++) {
    loop.turn();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return turns;
}

/** Sends a request and waits for its answer. @returns how many turns that took */
async function answered(socket: Socket): Promise<number> {
  let text = '';
  const read = (data: Buffer) => {
    text += data.toString();
  };
  socket.on('data', read);
  await written(socket, GET);
  const turns = await turnUntil(() => text !== '');
  socket.off('data', read);
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  return turns;
}

/** A process that is root of instance 2 and sends a text on `count` connections. */
async function instance2(text: string, count: number): Promise<Apart> {
  const apart = await startApart(join(folder, 'sock'), text, count, '');
  const facts = { instanceId: 2, runNumber: 1, rootUid: process.getuid?.() ?? 0, namespace: apart.namespace };
  orders.push({ kind: 'run', facts, view: sampleView({ instanceId: 2 }) });
  wake(wakes);
  return apart;
}

it('answers one instance within a few turns, even if another has much work waiting', async () => {
  const root = await connected();
  await answered(root);
  await using _flood = await instance2(GET.repeat(300), 400);
  turnSome();
  // A turn serves for a millisecond; the requests of the other instance take a hundred turns.
  for (let asked = 0; asked < 20; asked++) expect(await answered(root)).toBeLessThanOrEqual(FEW_TURNS);
  expect(reports.filter(({ kind }) => kind !== 'handed-over')).toEqual([]);
});

it('answers a limited part of the requests of one connection in a turn, and all of them in the end', async () => {
  const [one, other] = [await connected(), await connected()];
  await answered(other);
  let answers = 0;
  one.on('data', (data: Buffer) => {
    answers += data.toString().split('HTTP/1.1 200 OK').length - 1;
  });
  await written(one, GET.repeat(300));
  expect(await answered(other)).toBeLessThanOrEqual(FEW_TURNS);
  await turnUntil(() => answers === 300);
  expect(reports).toEqual([]);
});

it('waits, and does not spin, when a child still holds a connection that has ended', async () => {
  const client = await connected();
  await answered(client);
  // It is polled when it is found at rest again.
  await answered(client);
  const held = duplicate(owned.indexOf(1));
  client.end();
  await turnUntil(() => owned.indexOf(1) < 0);
  const startedMs = performance.now();
  loop.turn();
  // With nothing to do a turn waits for a second; a connection that is left in the epoll set ends it at once.
  expect(performance.now() - startedMs).toBeGreaterThan(500);
  close(held);
});

it('hands over a few connections of an instance, and the next one when one of them is served', async () => {
  await using _flood = await instance2(PATCH, 40);
  const handed = () => reports.filter(({ kind }) => kind === 'handed-over');
  await turnUntil(() => handed().length > 0);
  turnSome();
  expect(handed()).toHaveLength(UNBEGUN_PER_KEY_MAX);
  // Another instance does not wait for this one.
  const client = await connected();
  await written(client, PATCH);
  await turnUntil(() => handed().length > UNBEGUN_PER_KEY_MAX);
  expect(handed().at(-1)).toMatchObject({ caller: { instanceId: 1 } });
  for (let taken = 1; taken <= 36; taken++) {
    orders.push({ kind: 'taken', share: { key: 'instance 2', rank: 'root' } });
    wake(wakes);
    await turnUntil(() => orders.length === 0);
    expect(handed()).toHaveLength(UNBEGUN_PER_KEY_MAX + 1 + taken);
  }
});

it('ends connections that wait to be handed over with all others of their instance', async () => {
  await using _flood = await instance2(PATCH, 40);
  await turnUntil(() => reports.length > 0);
  turnSome();
  orders.push({ kind: 'close-instance', instanceId: 2 });
  wake(wakes);
  await turnUntil(() => orders.length === 0);
  expect([shared[CLOSED], shared[OPEN]]).toEqual([40 - UNBEGUN_PER_KEY_MAX, 0]);
});
