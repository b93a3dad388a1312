import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, rename, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Log, silentLog } from '../base/log.ts';
import { anyCharacter } from '../base/testing/any-text.ts';
import { turn, until } from '../base/testing/until.ts';

import type { Caller } from '../core/caller.ts';
import { etagOf } from '../core/etags.ts';
import type { FrontEndCalls } from '../http/front-end.ts';
import { duplicate } from '../native/descriptors.ts';
import { close } from '../native/libc.ts';
import { acceptNext } from '../native/sockets.ts';

import { acceptedOf } from './caller-key.ts';
import { type GuestFrontEnd, GuestServer } from './server.ts';
import { ask, exchange, RawClient, sampleView, startGuest } from './testing/harness.ts';

const JSON_HEAD = (length: number) =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: D\r\nContent-Length: ${length}\r\n\r\n`;
const RAW_HEAD = (length: number) =>
  JSON_HEAD(length).replace('application/json', 'application/octet-stream');
/** The head of an answer with a value, which has an ETag. */
const VALUE_HEAD = (value: string) =>
  RAW_HEAD(Buffer.byteLength(value)).replace('Date', `ETag: ${etagOf(value)}\r\nDate`);
const ERROR_HEAD = (status: string, length: number) =>
  `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nDate: D\r\nContent-Length: ${length}\r\n\r\n`;
const FAILURE = (status: string, body = status) =>
  `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${body}`;

const CALLER: Caller = { kind: 'instance', instanceId: 1, runNumber: 1 };
const GET = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: lxd\r\n${headers}\r\n`;
const bodies = (received: string) => received.split(/HTTP\/1\.\d \d{3} [\s\S]*?\r\n\r\n/).slice(1);

describe('answers, byte for byte', () => {
  it.each([
    ['GET /', JSON_HEAD(9), '["/1.0"]\n'],
    [
      'GET /1.0',
      JSON_HEAD(214),
      '{"state":"Started","api_version":"1.0","instance_type":"container","location":"myhost","auth":"untrusted","supported_storage_drivers":[],"api_extensions":["event_since","config_etag","config_wait","guest_config"]}\n',
    ],
    ['GET /1.0/config/user.foo', VALUE_HEAD('bar'), 'bar'],
    ['GET /1.0/config/user.%C3%BCni', VALUE_HEAD('grün\n'), 'gr\xc3\xbcn\n'],
    ['GET /1.0/config/user.\xc3\xbcni', VALUE_HEAD('grün\n'), 'gr\xc3\xbcn\n'],
    [
      'GET /1.0/devices',
      JSON_HEAD(87),
      '{"eth0":{"hwaddr":"00:16:3e:00:00:01","type":"nic"},"root":{"path":"/","type":"disk"}}\n',
    ],
    ['GET /1.0/meta-data', RAW_HEAD(48), '#cloud-config\ninstance-id: x\nlocal-hostname: c1\n'],
    ['HEAD /1.0/config/user.foo', VALUE_HEAD('bar'), ''],
    ['GET /1.0/nope', ERROR_HEAD('404 Not Found', 19), '404 page not found\n'],
    ['GET /1.0/config/user.nope', ERROR_HEAD('404 Not Found', 10), 'Not Found\n'],
    ['GET /1.0/config/volatile.x', ERROR_HEAD('403 Forbidden', 10), 'Forbidden\n'],
    ['POST /1.0', ERROR_HEAD('501 Not Implemented', 16), 'Not Implemented\n'],
    ['FOO /1.0', ERROR_HEAD('404 Not Found', 23), 'Method "FOO" not found\n'],
    [
      'GET //1.0?x=y',
      'HTTP/1.1 301 Moved Permanently\r\nLocation: /1.0?x=y\r\nDate: D\r\nContent-Length: 0\r\n\r\n',
      '',
    ],
    [
      'GET http://lxd',
      'HTTP/1.1 301 Moved Permanently\r\nLocation: http://lxd/\r\nDate: D\r\nContent-Length: 0\r\n\r\n',
      '',
    ],
    ['GET https://lxd/', JSON_HEAD(9), '["/1.0"]\n'],
    ['OPTIONS *', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: D\r\n\r\n', ''],
  ])('answers %s', async (line, head, body) => {
    await using guest = await startGuest();
    const [gotHead, gotBody] = await ask(guest.path, line);
    expect(gotBody).toBe(body);
    expect(gotHead).toBe(head);
  });

  it('differ for unknown callers and users, except for an unknown path', async () => {
    await using guest = await startGuest();
    guest.backend.caller = { kind: 'no-instance' };
    const noInstance = 'Process ID not found in container\n';
    expect(await ask(guest.path, 'GET /')).toEqual([ERROR_HEAD('500 Internal Server Error', 34), noInstance]);
    expect((await ask(guest.path, 'GET /nope'))[1]).toBe('404 page not found\n');
    expect((await ask(guest.path, 'GET //'))[0]).toMatch(/^HTTP\/1\.1 301 /);
    guest.backend.caller = { kind: 'not-root', instanceId: 1, runNumber: 1 };
    expect(await ask(guest.path, 'GET /')).toEqual([
      ERROR_HEAD('401 Unauthorized', 32),
      'Access denied for non-root user\n',
    ]);
  });

  it('ends a connection whose run is over', async () => {
    await using guest = await startGuest();
    const client = new RawClient(guest.path).send(GET('/'));
    await client.until((received) => received.endsWith('["/1.0"]\n'));
    guest.backend.views.delete(1);
    const received = await client.send(GET('/')).end();
    expect(received).toMatch(
      /500 Internal Server Error\r\n[\s\S]*Connection: close\r\n\r\nProcess ID not found in container\n$/,
    );
  });

  it('refuses with 403 on an open connection when security.devlxd is switched off', async () => {
    await using guest = await startGuest();
    const client = new RawClient(guest.path).send(GET('/'));
    await client.until((received) => received.endsWith('["/1.0"]\n'));
    guest.backend.views.set(1, sampleView({ devlxd: false }));
    client.send(GET('/'));
    await client.until((received) => received.endsWith('\r\n\r\nForbidden\n'));
    client.socket.destroy();
  });
});

describe('PATCH /1.0', () => {
  const patch = (path: string, body: string) =>
    ask(path, 'PATCH /1.0', `Content-Length: ${body.length}\r\n`, body);

  it('stores the state, with any content type', async () => {
    await using guest = await startGuest();
    expect(await patch(guest.path, '{"state":"Ready"}')).toEqual([RAW_HEAD(0), '']);
    expect((await ask(guest.path, 'GET /1.0'))[1]).toContain('"state":"Ready"');
    await ask(
      guest.path,
      'PATCH /1.0',
      'Transfer-Encoding: chunked\r\n',
      '9\r\n{"State":\r\na\r\n"Started"}\r\n0\r\n\r\n',
    );
    expect((await ask(guest.path, 'GET /1.0'))[1]).toContain('"state":"Started"');
  });

  it.each([
    ['', '400 Bad Request', 'Invalid request body: EOF\n'],
    ['{', '400 Bad Request', 'Invalid request body: unexpected EOF\n'],
    ['{"state":"ready"}', '400 Bad Request', 'Invalid state "ready"\n'],
  ])('refuses %j', async (body, status, text) => {
    await using guest = await startGuest();
    expect(await patch(guest.path, body)).toEqual([ERROR_HEAD(status, text.length), text]);
  });

  it('is refused after too many writes, and only to that instance', async () => {
    await using guest = await startGuest({ writeBurst: 2, writeIntervalMs: 600_000 });
    guest.backend.views.set(2, sampleView({ instanceId: 2 }));
    const statuses = async () => {
      const answers = [];
      for (const state of ['Ready', 'Started', 'Ready']) {
        answers.push((await patch(guest.path, JSON.stringify({ state })))[0].slice(9, 12));
      }
      return answers;
    };
    expect(await statuses()).toEqual(['200', '200', '429']);
    expect((await ask(guest.path, 'GET /1.0'))[1]).toContain('"state":"Started"');
    const text = 'Too Many Requests\n';
    expect(await patch(guest.path, '{"state":"Ready"}')).toEqual([
      ERROR_HEAD('429 Too Many Requests', text.length),
      text,
    ]);
    guest.backend.caller = { kind: 'instance', instanceId: 2, runNumber: 1 };
    expect(await statuses()).toEqual(['200', '200', '429']);
  });

  it('does not say why the state could not be stored', async () => {
    await using guest = await startGuest();
    guest.backend.storeBroken = true;
    const [head, body] = await patch(guest.path, '{"state":"Ready"}');
    expect(head).toMatch(/^HTTP\/1\.1 500 /);
    expect(body).toBe('Failed setting instance state: internal error\n');
  });
});

describe('HTTP', () => {
  it.each([
    ['GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n', FAILURE('400 Bad Request')],
    ['\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n', FAILURE('400 Bad Request')],
    ['GET / HTTP/1.1\r\n\r\n', FAILURE('400 Bad Request: missing required Host header')],
    ['GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', FAILURE('400 Bad Request: malformed Host header')],
    ['GET / HTTP/1.1\r\nHost: x\r\na b: c\r\n\r\n', FAILURE('400 Bad Request: invalid header name')],
    ['GET / HTTP/1.1\r\nHost: x\r\na: \0\r\n\r\n', FAILURE('400 Bad Request: invalid header value')],
    [
      'GET / HTTP/2.0\r\nHost: x\r\n\r\n',
      FAILURE('505 HTTP Version Not Supported: unsupported protocol version'),
    ],
    [
      'GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n',
      FAILURE('501 Not Implemented', 'Unsupported transfer encoding'),
    ],
    [`GET /${'a'.repeat(70_000)}`, FAILURE('431 Request Header Fields Too Large')],
    ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n', FAILURE('413 Request Entity Too Large')],
    ['POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz', FAILURE('400 Bad Request')],
    [
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n',
      FAILURE('413 Request Entity Too Large'),
    ],
    ['GET / HT', FAILURE('400 Bad Request')],
  ])('refuses %j and closes, whether or not the client half-closes', async (bytes, answer) => {
    await using guest = await startGuest();
    expect(await exchange(guest.path, bytes)).toBe(answer);
    if (!bytes.endsWith(' HT')) expect(await new RawClient(guest.path).send(bytes).end()).toBe(answer);
  });

  it('answers a bare-LF request of a client that half-closes', async () => {
    await using guest = await startGuest();
    const received = await exchange(guest.path, 'GET /1.0/config/user.foo HTTP/1.1\nHost: x\n\n');
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nbar$/);
  });

  it('answers a request that comes byte by byte', async () => {
    await using guest = await startGuest();
    const client = new RawClient(guest.path);
    for (const byte of GET('/1.0/config/user.foo', 'X: y\r\n')) {
      await new Promise((resolve) => client.socket.write(byte, resolve));
    }
    await client.until((received) => received.endsWith('\r\n\r\nbar'));
    client.socket.destroy();
  });

  it('answers pipelined requests in order, also more than fit into one turn', async () => {
    await using guest = await startGuest();
    const paths = Array.from({ length: 500 }, (_, i) => (i % 2 === 0 ? '/' : '/1.0/config/user.foo'));
    const received = await exchange(guest.path, paths.map((path) => GET(path)).join(''));
    expect(bodies(received)).toEqual(paths.map((path) => (path === '/' ? '["/1.0"]\n' : 'bar')));
  });

  it('makes no further answer before the client takes the last one', async () => {
    await using guest = await startGuest();
    guest.backend.views.set(1, sampleView({ config: new Map([['user.big', 'x'.repeat(300_000)]]) }));
    const client = new RawClient(guest.path);
    client.socket.pause();
    client.send(GET('/1.0/config/user.big').repeat(40));
    client.socket.end();
    await until(() => guest.backend.viewed !== 0);
    for (let i = 0; i < 50; i++) await turn();
    expect(guest.backend.viewed).toBe(1);
    client.socket.resume();
    const received = await client.end();
    expect(bodies(received).map(({ length }) => length)).toEqual(Array(40).fill(300_000));
  });

  it('reads and drops the body of a GET, and answers the next request', async () => {
    await using guest = await startGuest();
    const chunked = 'Transfer-Encoding: chunked\r\n';
    const received = await exchange(
      guest.path,
      `${GET('/', 'Content-Length: 5\r\n')}12345${GET('/', chunked)}5\r\nabcde\r\n0\r\n\r\n${GET('/1.0/config/user.foo')}`,
    );
    expect(bodies(received)).toEqual(['["/1.0"]\n', '["/1.0"]\n', 'bar']);
  });

  it('answers Connection: close with the same, and hangs up', async () => {
    await using guest = await startGuest();
    const received = await new RawClient(guest.path).send(GET('/', 'Connection: close\r\n')).end();
    expect(received).toMatch(/Content-Length: 9\r\nConnection: close\r\n\r\n\["\/1\.0"\]\n$/);
  });

  it('closes an HTTP/1.0 connection unless the client asks to keep it', async () => {
    await using guest = await startGuest();
    const closed = await new RawClient(guest.path).send('GET / HTTP/1.0\r\n\r\n').end();
    expect(closed).toMatch(/^HTTP\/1\.0 200 OK\r\n/);
    expect(closed).not.toContain('Connection');
    const kept = new RawClient(guest.path).send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect(await kept.until((received) => received.endsWith(']\n'))).toContain(
      'Connection: keep-alive\r\n\r\n',
    );
    kept.send('GET /1.0/config/user.foo HTTP/1.0\r\n\r\n');
    expect(await kept.end()).toMatch(/bar$/);
  });

  it('sends 100 Continue to a client that waits for it, and 417 for other expectations', async () => {
    await using guest = await startGuest();
    const client = new RawClient(guest.path);
    client.send('PATCH /1.0 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 17\r\n\r\n');
    await client.until((received) => received === 'HTTP/1.1 100 Continue\r\n\r\n');
    client.send('{"state":"Ready"}');
    await client.until((received) => /200 OK[\s\S]*\r\n\r\n$/.test(received));
    client.socket.destroy();
    const refused = await new RawClient(guest.path).send(GET('/', 'Expect: tea\r\n')).end();
    expect(refused).toMatch(
      /^HTTP\/1\.1 417 Expectation Failed\r\nConnection: close\r\nDate: [^\r]+\r\nContent-Length: 0\r\n\r\n$/,
    );
  });

  it('ignores Upgrade: h2c, Authorization and Accept-Encoding', async () => {
    await using guest = await startGuest();
    const headers =
      'Connection: Upgrade\r\nUpgrade: h2c\r\nAuthorization: Bearer x\r\nAccept-Encoding: gzip\r\n';
    expect((await ask(guest.path, 'GET /', headers))[1]).toBe('["/1.0"]\n');
  });
});

describe('limits', () => {
  it('answers 408 to an incomplete request, in its headers or its body', async () => {
    await using guest = await startGuest({ requestTimeoutMs: 40 });
    const late = FAILURE('408 Request Timeout');
    expect(await new RawClient(guest.path).send('GET / HTTP/1.1\r\n').end()).toBe(late);
    expect(await new RawClient(guest.path).send(GET('/', 'Content-Length: 5\r\n')).end()).toBe(late);
  });

  it('closes an idle connection silently, before or after its first request', async () => {
    await using guest = await startGuest({ idleTimeoutMs: 40 });
    expect(await new RawClient(guest.path).end()).toBe('');
    expect(await new RawClient(guest.path).send(GET('/')).end()).toMatch(/\["\/1\.0"\]\n$/);
  });

  it('ends a connection that does not take its answer', async () => {
    await using guest = await startGuest({ stallTimeoutMs: 40 });
    guest.backend.views.set(1, sampleView({ metaData: 'x'.repeat(4_000_000) }));
    const client = new RawClient(guest.path);
    client.socket.pause();
    client.send(GET('/1.0/meta-data'));
    await until(() => guest.server.connections() !== 0);
    await until(() => guest.server.connections() === 0);
    client.socket.resume();
    expect((await client.end()).length).toBeLessThan(4_000_000);
  });

  it('keeps a client that reads slowly', async () => {
    // It takes longer than the limit in total, but never pauses for that long.
    await using guest = await startGuest({ stallTimeoutMs: 1_000, lingerTimeoutMs: 1_000 });
    guest.backend.views.set(1, sampleView({ metaData: 'x'.repeat(3_000_000) }));
    const client = new RawClient(guest.path).send(GET('/1.0/meta-data', 'Connection: close\r\n'));
    client.socket.on('data', () => {
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 30);
    });
    expect((await client.end()).length).toBeGreaterThan(3_000_000);
  });

  it('answers 503 above the connection limit of an instance, and serves other instances', async () => {
    await using guest = await startGuest({ connectionsPerKey: 3 });
    const held = [1, 2, 3].map(() => new RawClient(guest.path).send(GET('/')));
    for (const client of held) await client.until((received) => received.endsWith(']\n'));
    const refused = await new RawClient(guest.path).send(GET('/')).end();
    expect(refused).toBe(FAILURE('503 Service Unavailable'));
    guest.backend.caller = { kind: 'not-root', instanceId: 1, runNumber: 1 };
    // All users of an instance count together.
    expect((await ask(guest.path, 'GET /'))[0]).toMatch(/^HTTP\/1\.1 503 /);
    guest.backend.views.set(2, sampleView({ instanceId: 2 }));
    guest.backend.caller = { kind: 'instance', instanceId: 2, runNumber: 1 };
    expect((await ask(guest.path, 'GET /'))[1]).toBe('["/1.0"]\n');
    guest.backend.caller = { kind: 'instance', instanceId: 1, runNumber: 1 };
    held[0]!.socket.destroy();
    await until(() => guest.server.connections() <= 2);
    expect((await ask(guest.path, 'GET /'))[1]).toBe('["/1.0"]\n');
    for (const client of held) client.socket.destroy();
  });

  it('survives a flood of connections of one instance', async () => {
    await using guest = await startGuest({ connectionsPerKey: 10, lingerTimeoutMs: 50 });
    const flood = Array.from({ length: 300 }, () => new RawClient(guest.path).send(GET('/')));
    const ends = flood.map((client) => client.until((received) => received.length > 0).catch(() => 'cut'));
    const answers = await Promise.all(ends);
    expect(answers.filter((received) => received.includes(' 200 OK'))).toHaveLength(10);
    guest.backend.views.set(2, sampleView({ instanceId: 2 }));
    guest.backend.caller = { kind: 'instance', instanceId: 2, runNumber: 1 };
    expect((await ask(guest.path, 'GET /'))[1]).toBe('["/1.0"]\n');
    for (const client of flood) client.socket.destroy();
  });
});

describe('connections', () => {
  it('are identified once for a thousand requests', async () => {
    await using guest = await startGuest();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 1000; i++) {
      const status = await new Promise<number>((resolve, reject) => {
        request({ socketPath: guest.path, path: '/1.0/config/user.foo', agent }, (answer) => {
          answer.resume().on('end', () => resolve(answer.statusCode!));
        })
          .on('error', reject)
          .end();
      });
      expect(status).toBe(200);
    }
    expect(guest.backend.identified).toBe(1);
    agent.destroy();
  });

  it('of an instance end when it stops, and those of other instances stay', async () => {
    await using guest = await startGuest();
    const mine = new RawClient(guest.path).send(GET('/'));
    const stream = new RawClient(guest.path).send(GET('/1.0/events'));
    await mine.until((received) => received.endsWith(']\n'));
    await stream.until((received) => received.endsWith('\r\n\r\n'));
    guest.backend.views.set(2, sampleView({ instanceId: 2 }));
    guest.backend.caller = { kind: 'instance', instanceId: 2, runNumber: 1 };
    const other = new RawClient(guest.path).send(GET('/'));
    await other.until((received) => received.endsWith(']\n'));
    expect(guest.server.closeInstance(1, 'stopped')).toBe(2);
    await Promise.all([mine.end(), stream.end()]);
    other.send(GET('/1.0/config/user.foo'));
    await other.until((received) => received.endsWith('bar'));
    other.socket.destroy();
    expect(guest.backend.subscribers).toBe(0);
  });

  it('end with the server if they are idle; requests under way are answered', async () => {
    await using guest = await startGuest();
    const idle = new RawClient(guest.path).send(GET('/'));
    const half = new RawClient(guest.path).send('GET / HTTP/1.1\r\n');
    await idle.until((received) => received.endsWith(']\n'));
    const stopped = guest.server.stop(2000);
    await idle.end();
    await expect(lstat(guest.path)).rejects.toMatchObject({ code: 'ENOENT' });
    half.send('Host: x\r\n\r\n');
    expect(await half.end()).toMatch(/Connection: close\r\n\r\n\["\/1\.0"\]\n$/);
    await stopped;
  });

  it('are cut when the grace period is over', async () => {
    await using guest = await startGuest();
    const half = new RawClient(guest.path).send('GET / HTTP/1.1\r\n');
    await until(() => guest.server.connections() !== 0);
    await guest.server.stop(20);
    expect(await half.end()).toBe('');
  });
});

describe('a server that stops', () => {
  it('answers all clients that have connected before', async () => {
    await using guest = await startGuest();
    const clients = Array.from({ length: 50 }, () => new RawClient(guest.path).send(GET('/')));
    const stopped = guest.server.stop(2000);
    for (const client of clients) expect(await client.end()).toMatch(/200 OK[\s\S]*\["\/1\.0"\]\n$/);
    await stopped;
    expect(guest.server.connections()).toBe(0);
  });

  it('also answers connections that its front end hands over after its last connection has ended', async () => {
    const frontEnd = new FrontEndThatLeaves(async (leave) => {
      leave();
      await until(() => server.connections() === 0);
      leave();
    });
    await using guest = await startGuest({}, silentLog, frontEnd);
    const { server } = guest;
    const clients = [1, 2].map(() => new RawClient(guest.path).send(GET('/')));
    await server.stop(2000);
    expect(server.connections()).toBe(0);
    for (const client of clients) expect(await client.end()).toMatch(/\["\/1\.0"\]\n$/);
  });
});

describe('a server that leaves its sockets', () => {
  it('leaves the listening socket and waiting and silent clients to the next server, and answers the rest', async () => {
    await using guest = await startGuest();
    const silent = new RawClient(guest.path);
    const idle = new RawClient(guest.path).send(GET('/'));
    const half = new RawClient(guest.path).send(
      'PATCH /1.0 HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\nExpect: 100-continue\r\n\r\n',
    );
    await half.until((received) => received.includes('100 Continue'));
    await idle.until((received) => received.endsWith(']\n'));
    await until(() => guest.server.connections() >= 3);
    const leaving = guest.server.leaveSockets(2000, duplicate);
    const waiting = new RawClient(guest.path).send(GET('/1.0/config/user.foo'));
    half.send('{"state":"Ready"}');
    expect(await half.end()).toMatch(/HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n\r\n$/);
    const left = await leaving;
    expect([guest.server.connections(), left.connections.length]).toEqual([0, 2]);
    idle.send(GET('/1.0/config/user.foo'));

    const next = new GuestServer(guest.backend, { log: silentLog });
    await next.listen({ fd: left.listener, path: guest.path });
    next.takeOver(left.connections);
    silent.send(GET('/1.0/config/user.foo'));
    for (const client of [silent, idle, waiting]) await client.until((received) => received.endsWith('bar'));
    for (const { socket } of [silent, idle, waiting]) socket.destroy();
    await next.stop(0);
    await expect(lstat(guest.path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('lets the next server identify connections whose caller is not known yet', async () => {
    await using guest = await startGuest();
    const known = Promise.withResolvers<Caller>();
    const asked = Promise.withResolvers<void>();
    const identify = () => {
      asked.resolve();
      return known.promise;
    };
    Object.assign(guest.backend, { identify });
    const held = new RawClient(guest.path).send(GET('/'));
    await asked.promise;
    const left = await guest.server.leaveSockets(0, duplicate);
    expect(left.connections).toHaveLength(1);
    await using next = await startGuest();
    next.server.takeOver(left.connections);
    close(left.listener);
    await held.until((received) => received.endsWith(']\n'));
    held.socket.destroy();
  });

  it('ends event streams: a websocket with 1012 "restarting", a plain one with its end', async () => {
    await using guest = await startGuest();
    const plain = new RawClient(guest.path).send(GET('/1.0/events'));
    await plain.until((received) => received.endsWith('\r\n\r\n'));
    const websocket = new WebSocket('ws://lxd/1.0/events', {
      createConnection: () => connect(guest.path),
    });
    await once(websocket, 'open');
    const closed = once(websocket, 'close');
    const left = await guest.server.leaveSockets(2000, duplicate);
    close(left.listener);
    const [code, reason] = await closed;
    expect([code, String(reason)]).toEqual([1012, 'restarting']);
    await plain.end();
    expect([left.connections, guest.backend.subscribers]).toEqual([[], 0]);
  });
});

describe('an internal error', () => {
  it('gives the guest a plain 500, and the log its cause', async () => {
    const errors: object[] = [];
    const log: Log = { ...silentLog, error: (fields) => void errors.push(fields) };
    await using guest = await startGuest();
    guest.backend.view = () => {
      throw new Error('the cause');
    };
    const server = new GuestServer(guest.backend, { log });
    await server.listen(`${guest.dir}/faulty`);
    const client = new RawClient(`${guest.dir}/faulty`).send(GET('/') + GET('/nope'));
    await client.until((received) => received.endsWith('404 page not found\n'));
    expect(bodies(client.received)[0]).toBe('Internal Server Error\n');
    expect(errors).toMatchObject([{ error: expect.stringContaining('the cause'), method: 'GET', path: '/' }]);
    client.socket.destroy();
    await server.stop(0);
  });

  it('cannot be caused by any bytes of a client', async () => {
    const errors: object[] = [];
    const log: Log = { ...silentLog, error: (fields) => void errors.push(fields) };
    await using guest = await startGuest({}, log);
    const part = fc.constantFrom(
      ...[
        'GET ',
        'PATCH ',
        '/1.0',
        '/1.0/config/',
        'user.',
        '%00',
        '%ff',
        '/1.0/events',
        ' HTTP/1.1\r\n',
        'Host: x\r\n',
      ],
      ...[
        '\r\n',
        'Content-Length: 2\r\n',
        'Transfer-Encoding: chunked\r\n',
        '1\r\n',
        '{}',
        'Upgrade: websocket\r\n',
        '\0',
      ],
      ...[
        '/1.0/images/',
        '/export',
        'Range: bytes=1-\r\n',
        'Expect: 100-continue\r\n',
        'Connection: upgrade\r\n',
      ],
    );
    const input = fc.oneof(
      fc.string({ unit: anyCharacter }),
      fc.array(part).map((parts) => parts.join('')),
    );
    await fc.assert(
      fc.asyncProperty(input, async (bytes) => {
        const received = await exchange(guest.path, bytes);
        expect(received).not.toContain('Internal Server Error');
      }),
      { numRuns: 200 },
    );
    expect(errors).toEqual([]);
    expect((await ask(guest.path, 'GET /'))[1]).toBe('["/1.0"]\n');
  }, 30_000);
});

describe('the socket', () => {
  it('is open to all users and replaces a stale one', async () => {
    await using guest = await startGuest();
    const file = await lstat(guest.path);
    expect([file.isSocket(), file.mode & 0o777]).toEqual([true, 0o666]);
    await using second = await startGuest();
    await writeFile(`${second.path}.new`, 'left behind');
    const replacing = new GuestServer(second.backend, { log: silentLog });
    await replacing.listen(second.path);
    await second.server.stop(0);
    // The first server has not removed the socket that replaced its own.
    expect((await ask(second.path, 'GET /'))[1]).toBe('["/1.0"]\n');
    await replacing.stop(0);
  });

  it('may be inherited', async () => {
    await using guest = await startGuest();
    const path = `${guest.dir}/inherited`;
    const parent = createServer();
    await new Promise<void>((resolve) => parent.listen(path, resolve));
    const { fd } = (parent as unknown as { _handle: { fd: number } })._handle;
    const script = new URL('./testing/inherited-socket.ts', import.meta.url).pathname;
    const heir = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit', fd] });
    await once(heir.stdout!, 'data');
    // The parent would remove the name when it closes.
    await rename(path, `${path}.heir`);
    parent.close();
    expect((await ask(`${path}.heir`, 'GET /'))[1]).toBe('["/1.0"]\n');
    heir.stdin!.end();
    expect(await once(heir, 'exit')).toEqual([0, null]);
  });

  it('cannot be opened in a folder that does not exist', async () => {
    await using guest = await startGuest();
    const server = new GuestServer(guest.backend, { log: silentLog });
    await expect(server.listen(`${guest.dir}/nowhere/sock`)).rejects.toThrow();
  });
});

describe('curl', () => {
  const curl = async (path: string, ...args: string[]) => {
    const { stdout } = await promisify(execFile)('curl', ['-sS', '--unix-socket', path, ...args]);
    return stdout;
  };

  it('reads, sends raw UTF-8 in paths, patches with a form type, and follows redirects', async () => {
    await using guest = await startGuest();
    expect(await curl(guest.path, 'http://lxd/1.0/config/user.üni')).toBe('grün\n');
    expect(await curl(guest.path, '-X', 'PATCH', '-d', '{"state":"Ready"}', 'http://lxd/1.0')).toBe('');
    expect(guest.backend.view(1)?.ready).toBe(true);
    expect(await curl(guest.path, '-L', '--path-as-is', 'http://lxd//1.0/./config/user.foo')).toBe('bar');
    expect(await curl(guest.path, '-I', '--http1.0', 'http://lxd/1.0')).toMatch(/^HTTP\/1\.0 200 OK\r\n/);
    expect(await curl(guest.path, 'http://lxd/', 'http://lxd/1.0/config/user.foo')).toBe('["/1.0"]\nbar');
  });
});

/** Accepts no connection before it is stopped. */
class FrontEndThatLeaves implements GuestFrontEnd {
  readonly works = true;
  readonly #leaving: (leave: () => void) => Promise<void>;
  #leave = () => {};

  constructor(leaving: (leave: () => void) => Promise<void>) {
    this.#leaving = leaving;
  }

  serve(listening: number, behind: FrontEndCalls<Caller>): void {
    const nothing = Buffer.alloc(0);
    const accepted = acceptedOf(CALLER);
    this.#leave = () => {
      const fd = acceptNext(listening);
      behind.take({ fd, accepted, unread: nothing, unsent: nothing, last: false });
    };
  }

  stop(): Promise<void> {
    return this.#leaving(this.#leave);
  }

  takeOver = () => {};
  taken = () => {};
  release = () => {};
  connections = () => 0;
  closeInstance = () => 0;
}
