import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { silentLog } from '../base/log.ts';
import { descriptorOf } from '../base/sockets.ts';
import { close } from '../native/libc.ts';
import { FileSender } from './file-sender.ts';

// Thousands of rounds, or many processes, take long on a machine that has other work.
vi.setConfig({ testTimeout: 60_000 });

const SIZE = 3_000_000;
const CONTENT = Buffer.from(Array.from({ length: SIZE }, (_, index) => (index * 31 + (index >> 8)) % 256));

let folder: string;
let server: Server;
let sender: FileSender;
let file: number;

beforeEach(async () => {
  folder = mkdtempSync('/var/tmp/porthole-sender-');
  writeFileSync(join(folder, 'file'), CONTENT);
  file = openSync(join(folder, 'file'), 'r');
  server = createServer();
  sender = new FileSender(silentLog);
  await new Promise<void>((resolve) => server.listen(join(folder, 'sock'), resolve));
});
afterEach(async () => {
  await sender.stop();
  close(file);
  server.close();
  rmSync(folder, { recursive: true });
});

async function pair(): Promise<{ socket: Socket; client: Socket; received: Promise<Buffer> }> {
  const connected = once(server, 'connection') as Promise<[Socket]>;
  const client = connect(join(folder, 'sock'));
  const [socket] = await connected;
  for (const each of [socket, client]) each.on('error', () => {});
  const pieces: Buffer[] = [];
  client.on('data', (piece: Buffer) => pieces.push(piece));
  const received = once(client, 'close').then(() => Buffer.concat(pieces));
  return { socket, client, received };
}

const send = (socket: Socket, start: number, length: number, stallMs = 5000) =>
  sender.send(descriptorOf(socket), file, { start, length, stallMs });

it('sends exactly the stretch, to many clients at once', async () => {
  const stretches = [
    [0, SIZE],
    [1, SIZE - 2],
    [1_000_000, 70_000],
    [SIZE - 65_536, 65_536],
    [0, SIZE],
  ] as const;
  const exchanges: [Promise<Buffer>, number, number][] = [];
  const sent: Promise<void>[] = [];
  for (const [start, length] of stretches) {
    const { socket, received } = await pair();
    sent.push(send(socket, start, length).sent.then(() => void socket.end()));
    exchanges.push([received, start, length]);
  }
  await Promise.all(sent);
  for (const [received, start, length] of exchanges) {
    expect((await received).equals(CONTENT.subarray(start, start + length))).toBe(true);
  }
});

it('waits for a client that reads slowly, while others get their files', async () => {
  const slow = await pair();
  slow.client.pause();
  const sent = send(slow.socket, 0, SIZE).sent;
  const other = await pair();
  await send(other.socket, 0, SIZE).sent;
  other.socket.end();
  expect((await other.received).equals(CONTENT)).toBe(true);
  slow.client.resume();
  await sent;
  slow.socket.end();
  expect((await slow.received).equals(CONTENT)).toBe(true);
});

it('fails when the client is gone, takes nothing for too long, or is cut off', async () => {
  const [gone, still, cut] = [await pair(), await pair(), await pair()];
  for (const { client } of [gone, still, cut]) client.pause();
  const first = send(gone.socket, 0, SIZE);
  gone.client.destroy();
  await expect(first.sent).rejects.toThrow('the client is gone');
  await expect(send(still.socket, 0, SIZE, 50).sent).rejects.toThrow('the client is gone');
  const last = send(cut.socket, 0, SIZE);
  last.cut();
  await expect(last.sent).rejects.toThrow('the client is gone');
  for (const { client, socket } of [still, cut]) for (const each of [client, socket]) each.destroy();
});

it('fails when the file is shorter than announced', async () => {
  const { socket, client } = await pair();
  truncateSync(join(folder, 'file'), 100_000);
  await expect(send(socket, 0, SIZE).sent).rejects.toThrow('a file became shorter while it was sent');
  socket.destroy();
  client.destroy();
});

it('can be stopped before it has sent anything, and fails the stretches that are not sent', async () => {
  const { socket, client } = await pair();
  client.pause();
  const { sent } = send(socket, 0, SIZE);
  const failed = expect(sent).rejects.toThrow('the client is gone');
  await sender.stop();
  await failed;
  expect(sender.works).toBe(false);
  sender = new FileSender(silentLog);
  socket.destroy();
  client.destroy();
});

it('has no thread when there is nothing to send, and starts one again when there is', async () => {
  await sender.stop();
  sender = new FileSender(silentLog, 0);
  for (let round = 0; round < 3; round++) {
    const started = once(process, 'worker') as Promise<[Worker]>;
    const { socket, received } = await pair();
    await send(socket, 0, SIZE).sent;
    const [worker] = await started;
    await once(worker, 'exit');
    socket.end();
    expect((await received).equals(CONTENT)).toBe(true);
    expect(sender.works).toBe(true);
  }
});
