import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { mountsBelow, TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';
import { ask, refusalOf } from './harness/raw.ts';
import { ACTIONS } from './tables/refused-actions.ts';
import { CHANGED_INSTANCES } from './tables/refused-changes.ts';
import { NEW_INSTANCES } from './tables/refused-instances.ts';
import { IMAGES, PROFILES } from './tables/refused-profiles-and-images.ts';
import type { Row } from './tables/row.ts';

let daemon: TestDaemon;
let operator: Operator;
let fingerprint: string;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox', '--public');
  const [image] = await operator.client.get<{ fingerprint: string }[]>('/1.0/images?recursion=1');
  fingerprint = image?.fingerprint ?? '';
  await operator.client.change('POST', '/1.0/profiles', { json: { name: 'p1', config: { 'user.a': '1' } } });
  await operator.launch('c1', { config: { 'user.a': 'own' }, profiles: ['default', 'p1'] });
  await operator.create('c2');
});
afterAll(async () => {
  await daemon?.destroy();
  expect(mountsBelow(daemon.stateDir)).toEqual([]);
  expect(existsSync(daemon.stateDir)).toBe(false);
});

/** All state that operators can change. */
async function everything() {
  const get = (path: string) => operator.client.get(path);
  return {
    instances: await get('/1.0/instances?recursion=1'),
    profiles: await get('/1.0/profiles?recursion=1'),
    images: await get('/1.0/images?recursion=1'),
    aliases: await get('/1.0/images/aliases?recursion=1'),
  };
}

/** Checks that each row is refused with its error and changes nothing. `FP`: the image's fingerprint. */
function refuses(rows: readonly Row[], headers: Record<string, string> = {}): void {
  it.each(rows)('%s: %s', async (_what, request, body, status, error) => {
    const [method = '', path = ''] = request.split(' ');
    const before = await everything();
    const sent = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await ask(daemon, method, path.replace('FP', fingerprint), sent, headers);
    expect(await refusalOf(daemon, answer)).toEqual({ status, error });
    expect(await everything()).toEqual(before);
  });
}

const MIB = 1024 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' };

describe('a new instance is refused:', () => refuses(NEW_INSTANCES));
describe('a change of an instance is refused:', () => refuses(CHANGED_INSTANCES));
describe('an action is refused:', () => refuses(ACTIONS));
describe('a profile is refused:', () => refuses(PROFILES));

describe('an image is refused:', () => {
  refuses(IMAGES, JSON_TYPE);

  it('an alias that exists already, and aliases with invalid names', async () => {
    const before = await everything();
    const make = async (name: string) =>
      refusalOf(
        daemon,
        await ask(daemon, 'POST', '/1.0/images/aliases', JSON.stringify({ name, target: fingerprint })),
      );
    expect(await make('busybox')).toEqual({ status: 409, error: 'Alias "busybox" already exists' });
    expect(await make('a\tb')).toEqual({ status: 400, error: 'Invalid alias name "a\\tb"' });
    expect(await make('a'.repeat(256))).toEqual({
      status: 400,
      error: `Invalid alias name "${'a'.repeat(255)}"`,
    });
    expect(await make('')).toEqual({ status: 400, error: 'name and target are required' });
    expect(await everything()).toEqual(before);
  });
});

describe('an invalid request is refused:', () => {
  const WHERE = [
    'POST /1.0/instances',
    'PUT /1.0/instances/c1',
    'PATCH /1.0/instances/c1',
    'POST /1.0/instances/c2',
    'PUT /1.0/instances/c1/state',
    'POST /1.0/instances/c1/exec',
    'POST /1.0/profiles',
    'PUT /1.0/profiles/p1',
    'PATCH /1.0/profiles/p1',
    'POST /1.0/profiles/p1',
    'PUT /1.0/images/FP',
    'PATCH /1.0/images/FP',
    'POST /1.0/images/aliases',
    'PUT /1.0/images/aliases/busybox',
    'PATCH /1.0/images/aliases/busybox',
    'POST /1.0/images/aliases/busybox',
    'PUT /1.0',
    'PATCH /1.0',
  ];
  refuses(WHERE.map((request) => ['no body', request, '', 400, 'The body is not JSON: it is empty']));
  refuses(
    WHERE.map((request) => ['a list', request, [], 400, 'Invalid input: expected object, received array']),
  );
  refuses(
    WHERE.map((request) => [
      'half of JSON',
      request,
      '{"name":',
      400,
      'The body is not JSON: Unexpected end of JSON input',
    ]),
  );

  refuses([
    ['an unknown path', 'GET /1.0/nothing', '', 404, 'not found'],
    ['an unknown path', 'GET /2.0', '', 404, 'not found'],
    ['a path above all', 'GET /../etc/passwd', '', 404, 'not found'],
    ['an unknown path below', 'POST /1.0/instances/c1/nothing', {}, 404, 'not found'],
    ['a snapshot', 'POST /1.0/instances/c1/snapshots', {}, 501, 'Porthole has no snapshots of instances'],
    ['a restore', 'PUT /1.0/instances/c1', { restore: 'x' }, 400, 'Porthole has no snapshots of instances'],
    ['an unknown method', 'DELETE /1.0/instances', '', 501, 'not implemented'],
    ['an unknown method', 'PUT /1.0/instances/c1/exec', {}, 501, 'not implemented'],
    ['an unknown method', 'POST /1.0', {}, 501, 'not implemented'],
    ['another project', 'GET /1.0/instances/c1?project=other', '', 404, 'Project not found'],
    ['another project', 'PUT /1.0/instances/c1?project=other', {}, 404, 'Project not found'],
  ]);

  it('a body of more than 8 MiB, with and without Content-Length', async () => {
    const before = await everything();
    const body = JSON.stringify({ config: { 'user.a': 'v'.repeat(20 * MIB) } });
    const refused = { status: 413, error: 'The body is larger than 8388608 bytes' };
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      for (const request of ['PUT /1.0/instances/c1', 'POST /1.0/instances', 'POST /1.0/profiles']) {
        const [method = '', path = ''] = request.split(' ');
        expect(await refusalOf(daemon, await ask(daemon, method, path, body, headers))).toEqual(refused);
      }
    }
    expect(await everything()).toEqual(before);
  });

  it('bytes that are not HTTP', async () => {
    for (const bytes of ['\0\0\0\0\r\n\r\n', 'GET\r\n\r\n', 'GET / HTTP/1.1\r\nBad Header: 1\r\n\r\n']) {
      const socket = createConnection(daemon.hostSocket);
      await once(socket, 'connect');
      socket.write(bytes);
      expect(await readText(socket)).toMatch(/^HTTP\/1\.1 400 [\s\S]*Malformed HTTP request/);
    }
  });

  it('a body that breaks off', async () => {
    const before = await everything();
    const socket = createConnection(daemon.hostSocket);
    socket.on('error', () => {});
    socket.end(
      'PUT /1.0/instances/c1 HTTP/1.1\r\nHost: lxd\r\nContent-Length: 99\r\n\r\n{"config":{"user.a":',
    );
    await readText(socket).catch(() => '');
    expect(await everything()).toEqual(before);
  });
});

describe('a change with an old ETag is refused:', () => {
  it.each([
    [
      '/1.0/instances/c1',
      {
        PUT: { config: { 'user.a': 'new' }, profiles: ['default', 'p1'] },
        PATCH: { config: { 'user.a': 'new' } },
      },
    ],
    ['/1.0/profiles/p1', { PUT: { config: { 'user.a': 'new' } }, PATCH: { config: { 'user.a': 'new' } } }],
    ['/1.0/images/FP', { PUT: { public: false }, PATCH: { public: false } }],
    [
      '/1.0/images/aliases/busybox',
      { PUT: { target: 'FP', description: 'new' }, PATCH: { description: 'new' } },
    ],
  ])('%s', async (where, bodies) => {
    const path = where.replace('FP', fingerprint);
    const before = await everything();
    const { etag } = await ask(daemon, 'GET', path);
    expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
    for (const [method, body] of Object.entries(bodies)) {
      const json = JSON.stringify(body).replace('FP', fingerprint);
      const answer = await ask(daemon, method, path, json, { 'if-match': 'deadbeef' });
      const error = `ETag doesn't match: ${etag.slice(1, -1)} vs deadbeef`;
      expect(await refusalOf(daemon, answer)).toEqual({ status: 412, error });
    }
    expect(await everything()).toEqual(before);
  });

  it('and of three changes with the same ETag, only one is made', async () => {
    const { etag } = await ask(daemon, 'GET', '/1.0/profiles/p1');
    const change = (value: string) =>
      ask(daemon, 'PUT', '/1.0/profiles/p1', JSON.stringify({ config: { 'user.a': value } }), {
        'if-match': etag,
      });
    const statuses = (await Promise.all(['one', 'two', 'three'].map(change))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 412, 412]);
  });
});
