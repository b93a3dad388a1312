import { PassThrough, Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import type { WebSocket } from 'ws';
import type { ExecRequest } from './exec.ts';
import { exec } from './exec.ts';
import { HostClient } from './host-client.ts';
import type { FakeHost } from './testing/fake-host.ts';
import { fakeOperation, finishedOperation, startFakeHost } from './testing/fake-host.ts';

const ID = fakeOperation().id;
const REQUEST: ExecRequest = {
  command: ['cat'],
  environment: {},
  interactive: false,
  width: 0,
  height: 0,
  user: 0,
  group: 0,
  cwd: '',
};

let host: FakeHost;
let client: HostClient;
/** The daemon's ends of the streams, by secret. */
let sockets: Map<string, WebSocket>;
let order: string[];
let finish: (part: Parameters<typeof finishedOperation>[0]) => void;

beforeEach(async () => {
  host = await startFakeHost();
  client = new HostClient(host.socketPath);
  sockets = new Map();
  order = [];
  const over = Promise.withResolvers<ReturnType<typeof finishedOperation>>();
  finish = (part) => over.resolve(finishedOperation(part));
  host.routes[`GET /1.0/operations/${ID}/wait`] = async () => ({ metadata: await over.promise });
  host.onSocket = (socket, url) => {
    const secret = new URL(url, 'http://host').searchParams.get('secret') ?? '';
    order.push(secret);
    sockets.set(secret, socket);
  };
});
afterEach(() => host.stop());

function offer(fds: Record<string, string>): void {
  host.routes['POST /1.0/instances/c1/exec'] = () => ({
    operation: fakeOperation({ class: 'websocket', metadata: { fds } }),
  });
}

const PIPES = { control: 's-control', '0': 's-0', '1': 's-1', '2': 's-2' };

function collect() {
  const stream = new PassThrough();
  return { stream, all: () => text(stream.end()) };
}

it('the streams are connected in order, and output goes where it belongs', async () => {
  offer(PIPES);
  const stdout = collect();
  const stderr = collect();
  const running = await exec(client, 'c1', REQUEST, {
    stdin: null,
    stdout: stdout.stream,
    stderr: stderr.stream,
  });
  expect(order).toEqual(['s-control', 's-0', 's-1', 's-2']);
  sockets.get('s-1')!.send(Buffer.from('out'), { binary: true });
  sockets.get('s-2')!.send(Buffer.from('err'), { binary: true });
  for (const secret of ['s-1', 's-2']) sockets.get(secret)!.send('', { binary: false });
  finish({ metadata: { return: 3 } });
  expect(await running.ended).toEqual({ code: 3, err: '' });
  expect(await stdout.all()).toBe('out');
  expect(await stderr.all()).toBe('err');
});

it('standard input arrives as bytes, then the end mark', async () => {
  offer(PIPES);
  const messages: (string | number)[] = [];
  const ended = Promise.withResolvers<void>();
  const connect = host.onSocket;
  host.onSocket = (socket, url) => {
    connect(socket, url);
    if (!url.includes('s-0')) return;
    socket.on('message', (data, binary) => {
      messages.push(binary ? String(data) : (data as Buffer).length);
      if (!binary) ended.resolve();
    });
  };
  const sink = new PassThrough();
  const running = await exec(client, 'c1', REQUEST, {
    stdin: Readable.from(['a', 'b']),
    stdout: sink,
    stderr: sink,
  });
  await ended.promise;
  expect(messages.slice(0, -1).join('')).toBe('ab');
  expect(messages.at(-1)).toBe(0);
  for (const secret of ['s-1', 's-2']) sockets.get(secret)!.close();
  finish({ metadata: { return: 0 } });
  await running.ended;
});

it('a megabyte gets through in both directions', async () => {
  offer(PIPES);
  const big = Buffer.alloc(1024 * 1024, 'x');
  const connect = host.onSocket;
  host.onSocket = (socket, url) => {
    connect(socket, url);
    if (!url.includes('s-0')) return;
    socket.on('message', (data, binary) => {
      const output = sockets.get('s-1')!;
      output.send(binary ? (data as Buffer) : '', { binary });
      if (!binary) sockets.get('s-2')!.send('', { binary: false });
      if (!binary) finish({ metadata: { return: 0 } });
    });
  };
  const stdout = slowSink();
  const running = await exec(client, 'c1', REQUEST, {
    stdin: Readable.from(pieces(big)),
    stdout: stdout.stream,
    stderr: new PassThrough(),
  });
  await running.ended;
  expect(Buffer.concat(stdout.chunks).equals(big)).toBe(true);
});

function* pieces(data: Buffer): Generator<Buffer> {
  for (let at = 0; at < data.length; at += 10_000) yield data.subarray(at, at + 10_000);
}

/** A reader that takes one piece per turn of the event loop. */
function slowSink() {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      setImmediate(done);
    },
  });
  return { stream, chunks };
}

it('a terminal has one stream, and its size and signals go over control', async () => {
  offer({ control: 's-control', '0': 's-0' });
  const said: unknown[] = [];
  const enough = Promise.withResolvers<void>();
  const connect = host.onSocket;
  host.onSocket = (socket, url) => {
    connect(socket, url);
    if (!url.includes('s-control')) return;
    socket.on('message', (data) => {
      said.push(JSON.parse(String(data)));
      if (said.length === 2) enough.resolve();
    });
  };
  const stdout = collect();
  const running = await exec(
    client,
    'c1',
    { ...REQUEST, interactive: true },
    { stdin: new PassThrough(), stdout: stdout.stream, stderr: new PassThrough() },
  );
  running.resize(132, 40);
  running.signal(15);
  await enough.promise;
  expect(said).toEqual([
    { command: 'window-resize', args: { width: '132', height: '40' } },
    { command: 'signal', args: null, signal: 15 },
  ]);
  sockets.get('s-0')!.send(Buffer.from('$ '), { binary: true });
  sockets.get('s-0')!.send('', { binary: false });
  finish({ metadata: { return: 143 } });
  expect((await running.ended).code).toBe(143);
  expect(await stdout.all()).toBe('$ ');
  expect(order).toEqual(['s-control', 's-0']);
});

it('a command that does not exist ends with 127 and the reason', async () => {
  offer(PIPES);
  const sink = new PassThrough();
  const running = await exec(client, 'c1', REQUEST, { stdin: null, stdout: sink, stderr: sink });
  for (const socket of sockets.values()) socket.close();
  finish({ err: 'Command not found', metadata: { return: 127 } });
  expect(await running.ended).toEqual({ code: 127, err: 'Command not found' });
});

it('an exec that never ran fails with the reason', async () => {
  offer(PIPES);
  const sink = new PassThrough();
  const running = await exec(client, 'c1', REQUEST, { stdin: null, stdout: sink, stderr: sink });
  for (const socket of sockets.values()) socket.close();
  finish({ err: 'Timed out waiting for websockets to connect' });
  await expect(running.ended).rejects.toThrow('Timed out waiting for websockets to connect');
});

it('standard input is let go of when the command ends first', async () => {
  offer(PIPES);
  const stdin = new PassThrough();
  const sink = new PassThrough();
  const running = await exec(client, 'c1', REQUEST, { stdin, stdout: sink, stderr: sink });
  for (const secret of ['s-1', 's-2']) sockets.get(secret)!.close();
  finish({ metadata: { return: 0 } });
  await running.ended;
  expect(stdin.listenerCount('data')).toBe(0);
  expect(stdin.isPaused()).toBe(true);
});

it('a slow reader of many small pieces gets one listener, and all of them', async () => {
  offer(PIPES);
  const PIECES = 200;
  const given: string[] = [];
  let listenersMax = 0;
  const slow = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, done) {
      given.push(String(chunk));
      listenersMax = Math.max(listenersMax, slow.listenerCount('drain'));
      setImmediate(done);
    },
  });
  const running = await exec(client, 'c1', REQUEST, { stdin: null, stdout: slow, stderr: slow });
  const output = sockets.get('s-1');
  for (let piece = 0; piece < PIECES; piece++) output?.send(Buffer.from(`${piece}\n`));
  output?.send('', { binary: false });
  sockets.get('s-2')?.send('', { binary: false });
  finish({ metadata: { return: 0 } });
  await running.ended;
  await finished(slow.end());
  expect([given.join('').split('\n').length - 1, listenersMax]).toEqual([PIECES, 1]);
});
