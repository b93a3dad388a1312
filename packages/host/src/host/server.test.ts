import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import { silentLog } from '../base/log.ts';
import { duplicate } from '../native/descriptors.ts';
import { JSON_BODY_BYTES_MAX } from './host-limits.ts';
import { ROUTES, servedRoutes } from './routes.ts';
import { HostServer } from './server.ts';
import { API_EXTENSIONS } from './server-info.ts';
import { Harness } from './testing/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

describe('the socket', () => {
  it('is open to its owner and group only', async () => {
    const { mode, uid } = await stat(harness.path);
    expect((mode & 0o777).toString(8)).toBe('660');
    expect(uid).toBe(process.getuid?.());
  });

  it('is not taken away from a daemon that listens', async () => {
    const second = new HostServer(harness.backend, { log: silentLog });
    await expect(second.listen(harness.path)).rejects.toThrow(/Another daemon/);
    expect((await harness.get('/1.0')).status).toBe(200);
  });

  it('replaces a stale file, and is gone after the stop', async () => {
    const stale = `${harness.folder}/stale.socket`;
    const dead = createServer().listen(`${stale}.live`);
    await new Promise((resolve) => dead.once('listening', resolve));
    const { rename } = await import('node:fs/promises');
    await rename(`${stale}.live`, stale);
    await new Promise((resolve) => dead.close(resolve));
    expect((await stat(stale)).isSocket()).toBe(true);
    const second = new HostServer(harness.backend, { log: silentLog });
    await second.listen(stale);
    await second.stop(0);
    await expect(stat(stale)).rejects.toThrow(/ENOENT/);
  });
});

describe('stopping', () => {
  it('answers requests that are under way', async () => {
    const { id } = harness.backend.operations.begin({ description: 'Long' });
    const waiting = harness.get(`/1.0/operations/${id}/wait`);
    const inside = Promise.withResolvers<void>();
    const { wait } = harness.backend.operations;
    harness.backend.operations.wait = (...args) => {
      inside.resolve();
      return wait.apply(harness.backend.operations, args);
    };
    await inside.promise;
    const stopped = harness.server.stop(10_000);
    harness.backend.operations.end(id);
    expect((await waiting).json.metadata.status).toBe('Success');
    await stopped;
  });

  it('cuts requests that outlast the grace', async () => {
    const { id } = harness.backend.operations.begin({ description: 'Endless' });
    const waiting = harness.get(`/1.0/operations/${id}/wait`);
    const failed = expect(waiting).rejects.toThrow();
    await harness.get('/1.0');
    await harness.server.stop(0);
    await failed;
  });

  it('ends event streams and the subscription', async () => {
    const inbox = await harness.websocket('/1.0/events');
    await harness.server.stop(10_000);
    expect(await inbox.closed).toBe(1001);
    expect(harness.backend.listenerCount).toBe(0);
  });
});

describe('a restart in place', () => {
  it('leaves the socket, its backlog and connections without a request to the next server', async () => {
    const silent = connect(harness.path);
    const inbox = await harness.websocket('/1.0/events');
    const { id } = harness.backend.operations.begin({ description: 'Running' });
    const running = harness.get(`/1.0/operations/${id}/wait`);
    await harness.get('/1.0');
    const leaving = harness.server.leaveSockets(10_000, duplicate);
    const waiting = harness.get('/1.0');
    harness.backend.operations.end(id);
    expect((await running).json.metadata.status).toBe('Success');
    const left = await leaving;
    expect(await inbox.closed).toBe(1012);

    const next = new HostServer(harness.backend, { log: silentLog });
    await next.listen({ fd: left.listener, path: harness.path });
    next.takeOver(left.connections);
    expect((await waiting).status).toBe(200);
    silent.write('GET /1.0 HTTP/1.1\r\nHost: lxd\r\nConnection: close\r\n\r\n');
    expect(await text(silent)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    await next.stop(0);
    expect(existsSync(harness.path)).toBe(false);
  });
});

describe('envelopes', () => {
  it('of values, creations, operations and errors have LXD’s fields', async () => {
    harness.backend.add('c1');
    expect((await harness.get('/')).json).toEqual({
      type: 'sync',
      status: 'Success',
      status_code: 200,
      operation: '',
      error_code: 0,
      error: '',
      metadata: ['/1.0'],
    });
    const made = await harness.send('POST', '/1.0/profiles', { name: 'p 1', config: null, devices: null });
    expect(made).toMatchObject({ status: 201, json: { type: 'sync', metadata: null } });
    expect(made.headers.location).toBe('/1.0/profiles/p%201');
    const operation = await harness.send('PUT', '/1.0/instances/c1/state', { action: 'start' });
    const path = `/1.0/operations/${operation.json.metadata.id}`;
    expect(operation.status).toBe(202);
    expect(operation.headers.location).toBe(path);
    expect(operation.json).toMatchObject({
      type: 'async',
      status: 'Operation created',
      status_code: 100,
      operation: path,
    });
    expect((await harness.get('/1.0/instances/none')).json).toEqual({
      type: 'error',
      status: '',
      status_code: 0,
      operation: '',
      error_code: 404,
      error: 'Instance not found',
      metadata: null,
    });
  });

  it('are also the answers to unknown paths, unknown methods and broken requests', async () => {
    expect(await harness.get('/1.0/nothing')).toMatchObject({ status: 404, json: { error: 'not found' } });
    expect(await harness.get('/1.0/network-acls?recursion=1')).toMatchObject({
      status: 501,
      json: { error: expect.stringMatching('^Porthole manages no networks') },
    });
    expect(await harness.send('DELETE', '/1.0/instances')).toMatchObject({
      status: 501,
      json: { error: 'not implemented', error_code: 501 },
    });
    expect(await harness.get('/1.0/instances/%zz')).toMatchObject({ status: 400, json: { type: 'error' } });
    const broken = await new Promise<string>((resolve) => {
      const socket = connect(harness.path, () => socket.write('NONSENSE\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text));
    });
    expect(broken).toMatch(/^HTTP\/1\.1 400 [\s\S]*"type":"error"/);
  });

  it('hide unexpected errors', async () => {
    harness.backend.profiles.list = () => {
      throw new Error('secret');
    };
    const reply = await harness.get('/1.0/profiles');
    expect(reply).toMatchObject({ status: 500, json: { error: 'Internal server error' } });
    expect(reply.body.toString()).not.toContain('secret');
  });
});

describe('a list of hundreds of instances', () => {
  const names = Array.from({ length: 250 }, (_, number) => `c${number}`).sort();
  beforeEach(() => {
    for (const name of names) harness.backend.add(name);
  });

  it('comes whole, with its length', async () => {
    const { status, headers, body, json } = await harness.get('/1.0/instances?recursion=1');
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    expect(headers['content-length']).toBe(String(body.length));
    expect(json.metadata.map(({ name }: { name: string }) => name)).toEqual(names);
    expect(body.at(-1)).toBe('\n'.charCodeAt(0));
  });

  it('is no failure when the client leaves in the middle of it', async () => {
    const socket = connect(harness.path, () => {
      socket.write('GET /1.0/instances?recursion=1 HTTP/1.1\r\nHost: x\r\n\r\n');
    });
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    expect((await harness.get('/1.0')).status).toBe(200);
  });
});

describe('bodies', () => {
  it('of GET and DELETE are ignored', async () => {
    harness.backend.add('c1');
    const headers = { 'Content-Type': 'application/json' };
    expect((await harness.send('GET', '/1.0', '""', headers)).status).toBe(200);
    expect((await harness.send('GET', '/1.0', '{broken', headers)).status).toBe(200);
    expect((await harness.send('DELETE', '/1.0/instances/c1', '""', headers)).status).toBe(202);
  });

  it('that are not JSON are refused, and so is an empty one', async () => {
    for (const body of ['', '{', 'x']) {
      expect(await harness.send('POST', '/1.0/profiles', body)).toMatchObject({
        status: 400,
        json: { error: expect.stringMatching(/^The body is not JSON: /) },
      });
    }
  });

  it('that are too large are refused with 413, and the client reads the answer', async () => {
    const body = Buffer.alloc(JSON_BODY_BYTES_MAX * 3, 'x');
    expect(await harness.send('POST', '/1.0/profiles', body, { Connection: 'close' })).toMatchObject({
      status: 413,
      json: { error: `The body is larger than ${JSON_BODY_BYTES_MAX} bytes` },
    });
  });

  it('may come without a content type, as LXD allows', async () => {
    expect((await harness.send('POST', '/1.0/profiles', '{"name":"p"}')).status).toBe(201);
  });
});

describe('server information', () => {
  it('announces what is served and nothing else', async () => {
    const { metadata } = (await harness.get('/1.0')).json;
    expect(metadata.api_extensions).toEqual(API_EXTENSIONS);
    expect(API_EXTENSIONS).toEqual(expect.arrayContaining(['instances', 'api_filtering', 'container_full']));
    const paths = ROUTES.map(({ path }) => path).join(' ');
    expect(API_EXTENSIONS.includes('file_delete')).toBe(paths.includes('/files'));
    expect(API_EXTENSIONS.includes('console')).toBe(paths.includes('/console'));
    expect(metadata).toMatchObject({ config: {}, auth: 'trusted', porthole: { identification: 'pidfd' } });
    expect(metadata.environment).toMatchObject({
      server_version: '0.1.0',
      server_pid: 42,
      server_clustered: false,
    });
    expect(metadata.environment.storage).not.toBe('');
  });

  it('has no config keys', async () => {
    expect(await harness.send('PUT', '/1.0', { config: { 'core.x': 1 } })).toMatchObject({
      status: 400,
      json: { error: "cannot set 'core.x' to '1': unknown key" },
    });
    expect((await harness.send('PATCH', '/1.0', { config: {} })).json.metadata).toEqual({});
  });

  it('has an ETag that is checked', async () => {
    const { etag = '' } = (await harness.get('/1.0')).headers;
    expect((await harness.send('PUT', '/1.0', { config: {} }, { 'If-Match': etag })).status).toBe(200);
    expect((await harness.send('PUT', '/1.0', { config: {} }, { 'If-Match': '"x"' })).status).toBe(412);
  });
});

describe('projects', () => {
  it('other than default are empty or not found', async () => {
    harness.backend.add('c1');
    expect((await harness.get('/1.0/instances?project=default')).json.metadata).toHaveLength(1);
    expect((await harness.get('/1.0/instances?project=p')).json.metadata).toEqual([]);
    expect((await harness.get('/1.0/instances?all-projects=true')).json.metadata).toHaveLength(1);
    expect((await harness.get('/1.0/operations?project=p')).json.metadata).toEqual({});
    expect((await harness.get('/1.0/instances/c1?project=p')).json.error).toBe('Project not found');
    for (const list of ['profiles', 'images', 'images/aliases'])
      expect((await harness.get(`/1.0/${list}?project=p`)).json.error).toBe('Project not found');
    expect((await harness.send('POST', '/1.0/profiles?project=p', { name: 'x' })).status).toBe(404);
    expect((await harness.get('/1.0?project=p')).status).toBe(200);
    await expect(harness.websocket('/1.0/events?project=p')).rejects.toThrow('refused with 404');
  });

  it('cannot be named together with all projects', async () => {
    for (const project of ['default', 'p']) {
      const { status, json } = await harness.get(`/1.0/instances?project=${project}&all-projects=true`);
      expect([status, json.error]).toEqual([400, 'Cannot specify a project when requesting all projects']);
    }
    expect((await harness.get('/1.0/instances?project=default&all-projects=false')).status).toBe(200);
    expect((await harness.get('/1.0/profiles?project=p&all-projects=true')).json.error).toBe(
      'Project not found',
    );
  });
});

it('each served route is listed once', () => {
  expect(new Set(servedRoutes()).size).toBe(servedRoutes().length);
  expect(servedRoutes()).toEqual(
    expect.arrayContaining(['GET /1.0/events', 'POST /1.0/containers/:name/exec']),
  );
});
