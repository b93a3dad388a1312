import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import { explainConnection } from './client-errors.ts';
import { HostClient, path } from './host-client.ts';
import type { FakeHost } from './testing/fake-host.ts';
import { fakeOperation, finishedOperation, startFakeHost } from './testing/fake-host.ts';

const ID = fakeOperation().id;

describe('a client of a daemon that runs', () => {
  let host: FakeHost;
  let client: HostClient;
  beforeEach(async () => {
    host = await startFakeHost();
    client = new HostClient(host.socketPath);
  });
  afterEach(() => host.stop());

  it('gives the metadata of a sync answer', async () => {
    host.routes['GET /1.0'] = () => ({ metadata: { api_version: '1.0' } });
    expect(await client.get('/1.0')).toEqual({ api_version: '1.0' });
  });

  it('throws the text and status of an error answer', async () => {
    host.routes['GET /1.0/instances/c1'] = () => ({ error: [404, 'Instance not found'] });
    const failing = client.get('/1.0/instances/c1');
    await expect(failing).rejects.toMatchObject({
      name: 'ApiError',
      status: 404,
      message: 'Instance not found',
    });
  });

  it('shows the answer in its error when it is not an envelope', async () => {
    host.routes['GET /1.0'] = () => ({ raw: '<html>' });
    await expect(client.get('/1.0')).rejects.toThrow("The daemon's answer is not the host API's: 200 OK");
  });

  it('gives the ETag with the value, unchanged', async () => {
    host.routes['GET /1.0/profiles/p'] = () => ({ metadata: 1, etag: '"a b"' });
    expect(await client.getTagged('/1.0/profiles/p')).toEqual({ value: 1, etag: '"a b"' });
  });

  it('sends JSON with its length, and nothing with a GET', async () => {
    host.routes['POST /1.0/x'] = () => ({});
    host.routes['GET /1.0/x'] = () => ({});
    await client.change('POST', '/1.0/x', { json: { name: 'ü' } });
    await client.get('/1.0/x');
    const [post, get] = host.received;
    expect(post?.body.toString()).toBe('{"name":"ü"}');
    expect(post?.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': '13' });
    expect(get?.body.length).toBe(0);
  });

  it('asks nothing more when the operation is finished already', async () => {
    host.routes['POST /1.0/x'] = () => ({ operation: finishedOperation({ metadata: { a: 1 } }) });
    expect((await client.change('POST', '/1.0/x'))?.metadata).toEqual({ a: 1 });
    expect(host.received.length).toBe(1);
  });

  it('waits until a running operation has ended, with as many requests as needed', async () => {
    const answers = [fakeOperation(), fakeOperation(), finishedOperation({ metadata: { a: 2 } })];
    host.routes['POST /1.0/x'] = () => ({ operation: fakeOperation() });
    host.routes[`GET /1.0/operations/${ID}/wait`] = () => ({ metadata: answers.shift() });
    expect((await client.change('POST', '/1.0/x'))?.metadata).toEqual({ a: 2 });
    expect(answers).toEqual([]);
  });

  it('throws the text of an operation that failed', async () => {
    host.routes['POST /1.0/x'] = () => ({ operation: fakeOperation() });
    host.routes[`GET /1.0/operations/${ID}/wait`] = () => ({
      metadata: finishedOperation({ err: 'no room' }),
    });
    await expect(client.change('POST', '/1.0/x')).rejects.toMatchObject({ status: 400, message: 'no room' });
  });

  it('throws for an operation that was cancelled without a text', async () => {
    const cancelled = fakeOperation({ status: 'Cancelled', status_code: 401 });
    host.routes['POST /1.0/x'] = () => ({ operation: cancelled });
    await expect(client.change('POST', '/1.0/x')).rejects.toThrow('The operation ended as Cancelled');
  });

  it('reports the progress of its own operation, and of no other', async () => {
    const told: string[] = [];
    const event = (id: string, text: string) =>
      JSON.stringify({
        type: 'operation',
        metadata: fakeOperation({ id, metadata: { unpack_progress: text } }),
      });
    const opened = Promise.withResolvers<(text: string) => void>();
    host.onSocket = (socket) => opened.resolve((text) => socket.send(text));
    const seen = Promise.withResolvers<void>();
    const watching = new HostClient(host.socketPath, {
      onProgress: (text) => {
        told.push(text);
        seen.resolve();
      },
    });
    host.routes['POST /1.0/x'] = () => ({ operation: fakeOperation() });
    host.routes[`GET /1.0/operations/${ID}/wait`] = async () => {
      const send = await opened.promise;
      send(event('another', 'Unpack: 1%'));
      send(event(ID, 'Unpack: 40%'));
      await seen.promise;
      return { metadata: finishedOperation() };
    };
    await watching.change('POST', '/1.0/x');
    expect(told).toEqual(['Unpack: 40%']);
  });

  it('stops waiting when its signal is aborted', async () => {
    const control = new AbortController();
    const impatient = new HostClient(host.socketPath, { signal: control.signal });
    host.routes['GET /1.0'] = () => {
      control.abort();
      return new Promise(() => {});
    };
    await expect(impatient.get('/1.0')).rejects.toThrow(/abort/i);
  });
});

describe('a client without a daemon', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp('/var/tmp/porthole-client-');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('says how to start it when there is no socket', async () => {
    const socket = join(dir, 'unix.socket');
    await expect(new HostClient(socket).get('/1.0')).rejects.toThrow(
      `Porthole's daemon is not running: there is no ${socket}. Start it with: portholed`,
    );
  });

  it('says how to start it when nothing listens on the socket', async () => {
    const socket = join(dir, 'unix.socket');
    leaveSocketBehind(socket);
    await expect(new HostClient(socket).get('/1.0')).rejects.toThrow(
      `Porthole's daemon is not running: nothing listens on ${socket}. Start it with: portholed`,
    );
  });

  it('doubts the state directory when the path is a file', async () => {
    const file = join(dir, 'unix.socket');
    await writeFile(file, '');
    await expect(new HostClient(file).get('/1.0')).rejects.toMatchObject({ name: 'ConnectionError' });
  });

  it('says who may use a socket that this user may not', async () => {
    const server = createServer();
    const socket = join(dir, 'unix.socket');
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    await chmod(socket, 0o600);
    const script = `
      process.setuid(65534);
      const { HostClient } = await import(${JSON.stringify(new URL('./host-client.ts', import.meta.url).href)});
      await new HostClient(${JSON.stringify(socket)}).get('/1.0').catch((error) => console.log(error.message));`;
    await chmod(dir, 0o755);
    if (process.getuid?.() === 0) {
      const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
      expect(child.stdout.trim()).toBe(
        `You may not use ${socket}: become root or a member of the group "porthole"`,
      );
    }
    await new Promise((resolve) => server.close(resolve));
  });

  it('says so when the daemon ends the connection', async () => {
    const socket = join(dir, 'unix.socket');
    const server = createServer((connection) => connection.destroy());
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    await expect(new HostClient(socket).get('/1.0')).rejects.toThrow(
      `The daemon at ${socket} ended the connection before it answered`,
    );
    await new Promise((resolve) => server.close(resolve));
  });
});

it.each([
  ['GET', '/1.0/a b', 'Request path contains unescaped characters'],
  ['GET', '/1.0\r\nx: y', 'Request path contains unescaped characters'],
  ['G T', '/1.0', 'Method must be a valid HTTP token ["G T"]'],
])('sends nothing that is not a request: %s %j', async (method, url, message) => {
  await expect(new HostClient('/nowhere').begin(method, url)).rejects.toThrow(message);
  const headers = { 'if-match': 'a\r\nb: c' };
  await expect(new HostClient('/nowhere').begin('PUT', '/1.0', { headers })).rejects.toThrow('if-match');
});

/** A daemon that was killed leaves its socket: a child listens there and dies without cleaning up. */
function leaveSocketBehind(socket: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
}

it('an error without a known system code stays as it is', () => {
  const error = new Error('odd');
  expect(explainConnection(error, '/s')).toBe(error);
  expect(explainConnection('text', '/s')).toBe('text');
});

it('path encodes the values in it', () => {
  expect(path`/1.0/images/aliases/${'a/b c?'}`).toBe('/1.0/images/aliases/a%2Fb%20c%3F');
  expect(path`/1.0`).toBe('/1.0');
});
