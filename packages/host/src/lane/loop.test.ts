import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sampleView } from '../guest/guest.fixture.ts';
import { DEFAULT_LIMITS } from '../http/limits.ts';
import { openWake, wake } from '../native/eventfd.ts';
import { close } from '../native/libc.ts';
import { listenUnix } from '../native/sockets.ts';
import { factsOfThisProcess } from './lane.fixture.ts';
import { Loop } from './loop.ts';
import { type Order, type Report, SHARED_SLOTS } from './messages.ts';

// Thousands of rounds, or many processes, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 });

const GET = 'GET /1.0/config/user.foo HTTP/1.1\r\nHost: lxd\r\n\r\n';
const NOBODY = 65_534;

let folder: string;
let listening: number;
let wakes: number;
let orders: Order[];
let reports: Report[];
let loop: Loop;
let sockets: Socket[];

/** A lane that is driven by hand, with this process as root of instance 1. */
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
  const shared = new Int32Array(SHARED_SLOTS);
  const limits = { ...DEFAULT_LIMITS, connectionsPerKey: 1000 };
  loop = new Loop(
    { shared, owned: new Uint8Array(4096), wake: wakes, limits },
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

/** A connection of this process under another user id: the kernel notes the one that is in force at connect(). */
async function connected(uid: number): Promise<Socket> {
  process.seteuid?.(uid);
  const socket = connect(join(folder, 'sock'));
  process.seteuid?.(0);
  sockets.push(socket);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return socket;
}

const written = (socket: Socket, text: string) =>
  new Promise<void>((resolve) => socket.write(text, () => resolve()));

/** Settles with what arrives next. */
const arrived = (socket: Socket) =>
  new Promise<string>((resolve) => socket.once('data', (data: Buffer) => resolve(data.toString())));

it('answers one group in the turn in which it asks, whatever another has in line', async () => {
  const root = await connected(0);
  await written(root, GET);
  loop.turn();
  await arrived(root);
  // Another user of the instance is another group, as another instance is.
  for (let count = 0; count < 400; count++) await written(await connected(NOBODY), GET.repeat(300));
  for (let turn = 0; turn < 10; turn++) loop.turn();
  for (let asked = 0; asked < 20; asked++) {
    await written(root, GET);
    // 64 connections are served in it, of 401 that are ready.
    loop.turn();
    expect(await arrived(root)).toMatch(/\r\n\r\nbar$/);
  }
  expect(reports).toEqual([]);
});

it('does a bounded part of what one connection asks in a turn, and all of it in the end', async () => {
  const [root, other] = [await connected(0), await connected(NOBODY)];
  let answers = 0;
  root.on('data', (data: Buffer) => {
    answers += data.toString().split('HTTP/1.1 200 OK').length - 1;
  });
  await written(root, GET.repeat(300));
  await written(other, GET);
  loop.turn();
  await arrived(other);
  while (answers < 300) {
    loop.turn();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  expect([answers, reports]).toEqual([300, []]);
});
