import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createPlainServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import { run } from '../process/run.ts';

const SCRIPT = join(import.meta.dirname, 'files', 'devlxd.sh');
const hasNetcat = (await run('sh', ['-c', 'command -v nc.openbsd'])).ok;

let dir: string;
let socket: string;
let server: Server | undefined;

beforeEach(async () => {
  dir = await mkdtemp('/var/tmp/porthole-devlxd-');
  socket = join(dir, 'sock');
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(dir, { recursive: true });
});

async function serve(listener: RequestListener): Promise<void> {
  server = createServer(listener).listen(socket);
  await once(server, 'listening');
}

function start(...args: readonly string[]): ChildProcess {
  const env = { ...process.env, DEVLXD_SOCKET: socket };
  return spawn('busybox', ['sh', SCRIPT, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function devlxd(...args: readonly string[]) {
  const child = start(...args);
  const streams = [child.stdout!, child.stderr!].map((stream) => buffer(stream));
  const [code] = await once(child, 'close');
  const [stdout, stderr] = await Promise.all(streams);
  return { code, stdout: stdout!, text: stdout!.toString(), stderr: stderr!.toString() };
}

const echo: RequestListener = async (request, response) => {
  const body = (await buffer(request)).toString();
  const { method, url, httpVersion } = request;
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ method, url, httpVersion, body, type: request.headers['content-type'] }));
};

const binary = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31 + (at >> 8)) & 255));

describe('against a host', () => {
  it('has the netcat that it needs (apt-get install netcat-openbsd)', () => {
    expect(hasNetcat).toBe(true);
  });

  it('gets a path, with or without its first slash', async () => {
    await serve(echo);
    const wanted = { method: 'GET', url: '/1.0/config', httpVersion: '1.0', body: '' };
    for (const path of ['/1.0/config', '1.0/config']) {
      const { code, text, stderr } = await devlxd(path);
      expect([code, JSON.parse(text), stderr]).toEqual([0, wanted, '']);
    }
  });

  it('sends a body unchanged, with its length in bytes', async () => {
    await serve(echo);
    const body = '{"state": "Ready", "ü": "100% \\\\n"}';
    const { text } = await devlxd('-d', body, '/1.0');
    expect(JSON.parse(text)).toMatchObject({ method: 'PATCH', body, type: 'application/json' });
    const put = await devlxd('-X', 'PUT', '-d', '', '/1.0');
    expect(JSON.parse(put.text)).toMatchObject({ method: 'PUT', body: '' });
  });

  it('asks for an answer only if it differs from the one that a tag names', async () => {
    await serve((request, response) => {
      const known = request.headers['if-none-match'] === '"known"';
      response.writeHead(known ? 304 : 200, { ETag: '"known"' }).end(known ? undefined : 'value');
    });
    expect(await devlxd('-t', '"known"', '/x?wait=60')).toMatchObject({ code: 3, text: '', stderr: '' });
    expect(await devlxd('-t', '"other"', '/x?wait=60')).toMatchObject({ code: 0, text: 'value' });
  });

  it('prints the head before the body with -i', async () => {
    await serve(echo);
    const { text } = await devlxd('-i', '/1.0');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:[\w-]+: .*\r\n)+\r\n\{/);
  });

  it('passes on every byte, to its output and to a file', async () => {
    await serve((_request, response) => response.end(binary));
    expect((await devlxd('/image')).stdout.equals(binary)).toBe(true);
    const file = join(dir, 'out');
    expect(await devlxd('-o', file, '/image')).toMatchObject({ code: 0, text: '' });
    expect((await readFile(file)).equals(binary)).toBe(true);
  });

  it('reads a head with bare line feeds', async () => {
    const plain = createPlainServer((connection) => connection.end('HTTP/1.1 200 OK\nX: y\n\nbody\n')).listen(
      socket,
    );
    await once(plain, 'listening');
    expect(await devlxd('/1.0')).toMatchObject({ code: 0, text: 'body\n' });
    plain.close();
  });

  it('ends with 22 when the host refuses, and still prints the message', async () => {
    await serve((_request, response) => response.writeHead(404).end('not found\n'));
    const answer = await devlxd('/nothing');
    expect(answer).toMatchObject({ code: 22, text: 'not found\n' });
    expect(answer.stderr).toBe('devlxd: the host answers 404 Not Found\n');
  });

  it('ends with 18 when the head, or a file, ends early', async () => {
    await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('half', () => response.socket?.end());
    });
    expect(await devlxd('-o', join(dir, 'out'), '/x')).toMatchObject({ code: 18 });
  });

  it('ends with 23 when the file cannot be written', async () => {
    await serve(echo);
    expect((await devlxd('-o', join(dir, 'no', 'out'), '/x')).code).toBe(23);
  });

  it('ends with 7 when the host does not answer', async () => {
    const plain = createPlainServer((connection) => connection.end()).listen(socket);
    await once(plain, 'listening');
    expect(await devlxd('/1.0')).toMatchObject({ code: 7, stderr: `devlxd: no answer from ${socket}\n` });
    plain.close();
  });

  it('asks for the events after a number', async () => {
    await serve((request, response) => response.end(request.url));
    expect((await devlxd('events', 'config', '17')).text).toBe('/1.0/events?type=config&since=17');
  });

  it('prints events as they come until it is killed, and then closes its connection', async () => {
    const gone = Promise.withResolvers<void>();
    await serve((request, response) => {
      response.write(`${JSON.stringify({ url: request.url })}\n`);
      request.socket.on('close', () => gone.resolve());
    });
    const child = start('events', 'config,device');
    const [line] = await once(child.stdout!, 'data');
    expect(line.toString()).toBe('{"url":"/1.0/events?type=config,device"}\n');
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    expect(code).toBe(143);
    await gone.promise;
  });
});

it('ends with 7 when there is no socket', async () => {
  const { code, stderr } = await devlxd('/1.0');
  expect([code, stderr]).toEqual([7, `devlxd: there is no ${socket}: is security.devlxd false?\n`]);
});

it('prints its usage with --help', async () => {
  const { code, text } = await devlxd('--help');
  expect(code).toBe(0);
  expect(text).toContain('Usage: devlxd [-i] [-X METHOD] [-d BODY] [-t TAG] [-o FILE] PATH');
});

it.each([
  [[], 'one PATH is needed'],
  [['/a', '/b'], 'one PATH is needed'],
  [['-z', '/a'], 'unknown option -z'],
  [['-o'], '-o needs a value'],
  [['/a HTTP/1.0\r\nX: y'], 'PATH, METHOD and TAG have no spaces'],
  [['-X', 'GET /b', '/a'], 'PATH, METHOD and TAG have no spaces'],
  [['-t', '"a"\r\nX: y', '/a'], 'PATH, METHOD and TAG have no spaces'],
  [['events', 'a', 'b', 'c'], 'events takes one list of types and one number'],
])('refuses %j', async (args, text) => {
  const { code, stderr } = await devlxd(...args);
  expect([code, stderr]).toEqual([2, `devlxd: ${text}; see devlxd --help\n`]);
});
