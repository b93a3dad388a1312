import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type Socket as Client, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ByteShares } from '../base/byte-shares.ts';
import { Output } from './output.ts';

const MIB = 1024 * 1024;
const LARGE = 'x'.repeat(MIB);

let folder: string;
let server: ReturnType<typeof createServer>;
let accepted: Socket[];
let shares: ByteShares<string>;

beforeEach(async () => {
  folder = await mkdtemp('/var/tmp/porthole-output-');
  accepted = [];
  server = createServer((socket) => accepted.push(socket.on('error', () => {}))).listen(join(folder, 'sock'));
  await once(server, 'listening');
  shares = new ByteShares({ each: 4 * MIB, sure: 2 * MIB, common: 4 * MIB });
});
afterEach(async () => {
  for (const socket of accepted) socket.destroy();
  server.close();
  await rm(folder, { recursive: true });
});

/** A client that does not read, and the output to it. */
async function client(owner: string): Promise<{ socket: Socket; reader: Client; output: Output }> {
  const [reader] = await Promise.all([
    connect(join(folder, 'sock'))
      .on('error', () => {})
      .pause(),
    once(server, 'connection'),
  ]);
  const socket = accepted.at(-1)!;
  return { socket, reader, output: new Output(socket, shares.of(owner)) };
}

it('cuts off only a client whose answer exceeds what its owner may leave untaken', async () => {
  const clients = [];
  for (let i = 0; i < 6; i++) clients.push(await client('a'));
  const other = await client('b');
  for (const { output } of [...clients, other]) output.add(LARGE);
  const cut = clients.map(({ socket }) => socket.destroyed);
  // The kernel's buffer takes a part of each answer.
  expect(cut.slice(0, 4)).toEqual([false, false, false, false]);
  expect(cut.at(-1)).toBe(true);
  expect(other.socket.destroyed).toBe(false);
});

it('stops counting bytes that a client has taken, or that went with its connection', async () => {
  const [one, two] = [await client('a'), await client('a')];
  one.output.add(LARGE);
  two.output.add(LARGE);
  const drained = once(one.socket, 'drain');
  one.reader.resume();
  await drained;
  const closed = once(two.socket, 'close');
  two.reader.destroy();
  two.socket.destroy();
  await closed;
  expect(shares).toEqual(new ByteShares({ each: 4 * MIB, sure: 2 * MIB, common: 4 * MIB }));
});

it('writes nothing to the socket before flush, unless much has been gathered', async () => {
  const { socket, output } = await client('a');
  output.add('x');
  expect(socket.bytesWritten).toBe(0);
  output.flush();
  expect(socket.bytesWritten).toBe(1);
  output.add(LARGE);
  expect(socket.bytesWritten).toBe(MIB + 1);
});
