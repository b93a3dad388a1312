import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mountsBelow, TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';
import { ask, refusalOf } from './harness/raw.ts';

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

/** All that operators can change. */
async function everything() {
  const get = (path: string) => operator.client.get(path);
  return {
    instances: await get('/1.0/instances?recursion=1'),
    profiles: await get('/1.0/profiles?recursion=1'),
    images: await get('/1.0/images?recursion=1'),
    aliases: await get('/1.0/images/aliases?recursion=1'),
  };
}

/** A request and how it must be refused. */
type Row = readonly [what: string, request: string, body: unknown, status: number, error: string];

/** Every row is refused as it says, and nothing is changed by it; `FP` in a path is the image's fingerprint. */
function refuses(rows: readonly Row[], headers: Record<string, string> = {}): void {
  test.each(rows)('%s: %s', async (_what, request, body, status, error) => {
    const [method = '', path = ''] = request.split(' ');
    const before = await everything();
    const sent = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await ask(daemon, method, path.replace('FP', fingerprint), sent, headers);
    expect(await refusalOf(daemon, answer)).toEqual({ status, error });
    expect(await everything()).toEqual(before);
  });
}

const NEW = 'POST /1.0/instances';
const source = { type: 'image', alias: 'busybox' };
const FAILED = 'Failed creating instance record: ';
const ROOT = { type: 'disk', path: '/', pool: 'default' };
const MIB = 1024 * 1024;

describe('a new instance is refused:', () => {
  const name = 'new';
  refuses([
    [
      'a name with a dot',
      NEW,
      { name: 'a.b', source },
      400,
      invalid('can only contain alphanumeric and hyphen characters'),
    ],
    [
      'a name that climbs',
      NEW,
      { name: '../x', source },
      400,
      invalid('can only contain alphanumeric and hyphen characters'),
    ],
    [
      'a name that starts with a digit',
      NEW,
      { name: '1a', source },
      400,
      invalid('must not start with a number'),
    ],
    [
      'a name that starts with a hyphen',
      NEW,
      { name: '-a', source },
      400,
      invalid('must not start with "-" character'),
    ],
    [
      'a name that ends with a hyphen',
      NEW,
      { name: 'a-', source },
      400,
      invalid('must not end with "-" character'),
    ],
    ['a long name', NEW, { name: 'a'.repeat(64), source }, 400, invalid('must be 1-63 characters long')],
    ['a name with a NUL', NEW, { name: 'a\0b', source }, 400, 'name: must not contain a NUL byte'],
    [
      'a name that is taken',
      NEW,
      { name: 'c1', source },
      400,
      `${FAILED}Add instance info to the database: This "instances" entry already exists`,
    ],
    ['a source of an unknown type', NEW, { name, source: { type: 'tape' } }, 400, 'Unknown source type tape'],
    ['no source', NEW, { name }, 400, 'Unknown source type '],
    ['an unknown alias', NEW, { name, source: { type: 'image', alias: 'x' } }, 404, 'Image alias not found'],
    [
      'an unknown image',
      NEW,
      { name, source: { type: 'image', fingerprint: 'ffff' } },
      404,
      'Image not found',
    ],
    [
      'a virtual machine',
      NEW,
      { name, source, type: 'virtual-machine' },
      400,
      'Instance type not supported: virtual-machine',
    ],
    [
      'an unknown profile',
      NEW,
      { name, source, profiles: ['none'] },
      400,
      'Requested profile "none" doesn\'t exist',
    ],
    [
      'a profile twice',
      NEW,
      { name, source, profiles: ['p1', 'default', 'p1'] },
      400,
      `${FAILED}Duplicate profile found in request`,
    ],
    [
      'an unknown key',
      NEW,
      { name, source, config: { 'no.such': '1' } },
      400,
      `${FAILED}Unknown configuration key: no.such`,
    ],
    [
      'an unknown type of device',
      NEW,
      { name, source, devices: { d: { type: 'tape' } } },
      400,
      `${FAILED}Failed loading device "d": Unsupported device type`,
    ],
    [
      'a device without a type',
      NEW,
      { name, source, devices: { d: {} } },
      400,
      `${FAILED}Failed loading device "d": Missing device type in config`,
    ],
    [
      'no root disk',
      NEW,
      { name, source, profiles: [] },
      400,
      `${FAILED}Failed initialising instance: Failed getting root disk: No root device could be found`,
    ],
  ]);
});

function invalid(rule: string): string {
  return `Invalid instance name: Name ${rule}`;
}

const PUT = 'PUT /1.0/instances/c1';
const PATCH = 'PATCH /1.0/instances/c1';
const instance = (more: object) => ({ profiles: ['default', 'p1'], config: { 'user.a': 'own' }, ...more });
const config = (key: string, value: string) => instance({ config: { [key]: value } });
const devices = (device: object, name = 'd') => instance({ devices: { [name]: device } });
const INVALID = 'Device validation failed for "d": ';

describe('a change of a running instance is refused:', () => {
  refuses([
    [
      'an unknown key',
      PUT,
      config('limits.nothing', '1'),
      400,
      'Invalid config: Unknown configuration key: limits.nothing',
    ],
    [
      'an unknown key, merged',
      PATCH,
      { config: { 'usr.a': '1' } },
      400,
      'Invalid config: Unknown configuration key: usr.a',
    ],
    [
      'a key that cannot be honoured',
      PUT,
      config('raw.seccomp', 'x'),
      400,
      'Invalid config: Configuration key "raw.seccomp" is not supported by Porthole',
    ],
    [
      'a key with a line break',
      PUT,
      config('user.a\nb', 'x'),
      400,
      'Invalid config: Configuration key "user.a\\nb" has control characters or is not valid UTF-8',
    ],
    [
      'a long key',
      PUT,
      config(`user.${'k'.repeat(251)}`, 'x'),
      400,
      'Invalid config: The maximum configuration key length is 255 bytes',
    ],
    [
      'a long value',
      PUT,
      config('user.a', 'v'.repeat(MIB + 1)),
      400,
      `Invalid config: The maximum size of configuration key "user.a" is ${MIB} bytes`,
    ],
    ['a value with a NUL', PUT, config('user.a', 'a\0b'), 400, 'config.user.a: must not contain a NUL byte'],
    [
      'a value that is a number',
      PUT,
      instance({ config: { 'user.a': 1 } }),
      400,
      'config.user.a: Invalid input: expected string, received number',
    ],
    [
      'a value that is half a character',
      PUT,
      '{"config":{"user.a":"\\ud800"}}',
      400,
      'Invalid config: Value of configuration key "user.a" is not valid UTF-8',
    ],
    [
      'a config that is a list',
      PUT,
      instance({ config: ['user.a'] }),
      400,
      'config: Invalid input: expected record, received array',
    ],
    [
      'too many keys',
      PUT,
      instance({ config: Object.fromEntries(Array.from({ length: 4097 }, (_, at) => [`user.${at}`, 'x'])) }),
      400,
      'Invalid config: The maximum number of configuration keys is 4096',
    ],
    [
      'a memory limit that is none',
      PUT,
      config('limits.memory', 'much'),
      400,
      'Invalid config: Invalid size "much"',
    ],
    [
      'a boolean that is none',
      PUT,
      config('security.devlxd', 'maybe'),
      400,
      'Invalid config: Invalid value for a boolean "maybe"',
    ],
    [
      'a number that is none',
      PUT,
      config('limits.processes', '-1'),
      400,
      'Invalid config: Invalid value for an integer "-1", must be between 1 and 4194304',
    ],
    [
      'raw.lxc that undoes the isolation',
      PUT,
      config('raw.lxc', 'lxc.idmap = u 0 0 65536'),
      400,
      'Invalid config: Setting lxc.idmap through raw.lxc is not allowed',
    ],
    [
      'network-config that is no YAML',
      PUT,
      config('cloud-init.network-config', 'a: [b'),
      400,
      'Invalid config: network-config is not valid YAML',
    ],
    ['an unknown profile', PUT, instance({ profiles: ['default', 'none'] }), 400, 'Profile not found'],
    [
      'a profile twice',
      PUT,
      instance({ profiles: ['default', 'default'] }),
      400,
      'Duplicate profile found in request',
    ],
    [
      'no root disk',
      PUT,
      instance({ profiles: [] }),
      400,
      'Invalid expanded devices: Failed detecting root disk device: No root device could be found',
    ],
    [
      'an unknown type of device',
      PUT,
      devices({ type: 'tape' }),
      400,
      'Invalid devices: Failed loading device "d": Unsupported device type',
    ],
    [
      'an unknown type of nic',
      PUT,
      devices({ type: 'nic', nictype: 'sriov' }),
      400,
      'Invalid devices: Failed loading device "d": Unsupported device type',
    ],
    [
      'an unknown option',
      PUT,
      devices({ ...ROOT, path: '/x', source: '/tmp', speed: '9' }),
      400,
      `Invalid devices: ${INVALID}Invalid device option "speed"`,
    ],
    [
      'a disk without a path',
      PUT,
      devices({ type: 'disk', source: '/tmp' }),
      400,
      `Invalid devices: ${INVALID}Disk entry is missing the required "source" or "path" property`,
    ],
    [
      'a second root',
      PUT,
      devices({ type: 'disk', path: '//', source: '/tmp' }),
      400,
      `Invalid devices: ${INVALID}The path of a root disk must be written as "/"`,
    ],
    [
      'a source that is not there',
      PUT,
      devices({ type: 'disk', path: '/mnt', source: '/no/such' }),
      400,
      'Failed add validation for device "d": Missing source path "/no/such"',
    ],
    [
      'a device name with a slash',
      PUT,
      devices({ type: 'none' }, 'a/b'),
      400,
      'Invalid devices: Invalid device name "a/b"',
    ],
    [
      'a long device name',
      PUT,
      devices({ type: 'none' }, 'd'.repeat(65)),
      400,
      'Invalid devices: The maximum device name length is 64 characters',
    ],
    [
      'a device that is a text',
      PUT,
      instance({ devices: { d: 'disk' } }),
      400,
      'devices.d: Invalid input: expected record, received string',
    ],
    [
      'a boolean that is a text',
      PUT,
      instance({ ephemeral: 'yes' }),
      400,
      'ephemeral: Invalid input: expected boolean, received string',
    ],
    ['an unknown instance', 'PUT /1.0/instances/none', instance({}), 404, 'Instance not found'],
    [
      'a new name while it runs',
      'POST /1.0/instances/c1',
      { name: 'c3' },
      400,
      'Renaming of running container not allowed',
    ],
    [
      'a bad new name',
      'POST /1.0/instances/c2',
      { name: 'c 3' },
      400,
      invalid('can only contain alphanumeric and hyphen characters'),
    ],
    ['a new name that is taken', 'POST /1.0/instances/c2', { name: 'c1' }, 409, 'Name "c1" already in use'],
    ['its end while it runs', 'DELETE /1.0/instances/c1', '', 400, 'Instance is running'],
  ]);
});

describe('an action is refused:', () => {
  const STATE = 'PUT /1.0/instances/c1/state';
  const EXEC = 'POST /1.0/instances/c1/exec';
  refuses([
    ['an unknown one', STATE, { action: 'explode' }, 400, "Unknown action: 'explode'"],
    ['none', STATE, {}, 400, "Unknown action: ''"],
    ['a start of what runs', STATE, { action: 'start' }, 400, 'The instance is already running'],
    [
      'a stop of what does not',
      'PUT /1.0/instances/c2/state',
      { action: 'stop' },
      400,
      'The instance is already stopped',
    ],
    [
      'a timeout that is a text',
      STATE,
      { action: 'stop', timeout: '1' },
      400,
      'timeout: Invalid input: expected number, received string',
    ],
    ['an unknown instance', 'PUT /1.0/instances/none/state', { action: 'start' }, 404, 'Instance not found'],
    [
      'exec in what does not run',
      'POST /1.0/instances/c2/exec',
      { command: ['true'], 'wait-for-websocket': true },
      400,
      'Instance is not running',
    ],
    [
      'exec in an unknown instance',
      'POST /1.0/instances/none/exec',
      { command: ['true'], 'wait-for-websocket': true },
      404,
      'Instance not found',
    ],
    ['exec of nothing', EXEC, { command: [], 'wait-for-websocket': true }, 400, 'command: must not be empty'],
    [
      'exec of a text',
      EXEC,
      { command: 'true', 'wait-for-websocket': true },
      400,
      'command: Invalid input: expected array, received string',
    ],
    ['the end of an unknown operation', 'DELETE /1.0/operations/none', '', 404, 'Operation not found'],
    [
      'an unknown operation',
      'GET /1.0/operations/11111111-1111-1111-1111-111111111111',
      '',
      404,
      'Operation not found',
    ],
  ]);
});

describe('a profile is refused:', () => {
  const P1 = 'PUT /1.0/profiles/p1';
  refuses([
    ['without a name', 'POST /1.0/profiles', {}, 400, 'No name provided'],
    ['with a slash', 'POST /1.0/profiles', { name: 'a/b' }, 400, 'Profile names may not contain slashes'],
    ['with a name that climbs', 'POST /1.0/profiles', { name: '..' }, 400, 'Invalid profile name ".."'],
    [
      'a second time',
      'POST /1.0/profiles',
      { name: 'p1' },
      409,
      'Error inserting "p1" into database: The profile already exists',
    ],
    [
      'with an unknown key',
      'POST /1.0/profiles',
      { name: 'p2', config: { 'a.b': '1' } },
      400,
      'Unknown configuration key: a.b',
    ],
    ['with an unknown key, changed', P1, { config: { 'a.b': '1' } }, 400, 'Unknown configuration key: a.b'],
    [
      'with a volatile key',
      P1,
      { config: { 'volatile.uuid': 'x' } },
      400,
      'Volatile keys can only be set on instances',
    ],
    [
      'with an unknown type of device',
      P1,
      { devices: { d: { type: 'tape' } } },
      400,
      'Failed loading device "d": Unsupported device type',
    ],
    [
      'that takes the root of its instances',
      'PUT /1.0/profiles/default',
      { devices: {} },
      400,
      'Invalid expanded devices: Failed detecting root disk device: No root device could be found',
    ],
    ['that is used, to be deleted', 'DELETE /1.0/profiles/p1', '', 400, 'Profile is currently in use'],
    [
      'that is the default, to be deleted',
      'DELETE /1.0/profiles/default',
      '',
      403,
      'The "default" profile cannot be deleted',
    ],
    [
      'that is the default, to be renamed',
      'POST /1.0/profiles/default',
      { name: 'p2' },
      403,
      'The "default" profile cannot be renamed',
    ],
    ['that is not there', 'GET /1.0/profiles/none', '', 404, 'Profile not found'],
    ['that is not there, changed', 'PUT /1.0/profiles/none', {}, 404, 'Profile not found'],
  ]);
});

describe('an image is refused:', () => {
  const ALIASES = 'POST /1.0/images/aliases';
  refuses(
    [
      ['of an unknown fingerprint', 'GET /1.0/images/ffff', '', 404, 'Image not found'],
      ['of a path', 'GET /1.0/images/..%2f..%2fetc', '', 404, 'Image not found'],
      [
        'with properties that are no texts',
        'PUT /1.0/images/FP',
        { properties: { a: 1 } },
        400,
        'properties.a: Invalid input: expected string, received number',
      ],
      [
        'made of a URL',
        'POST /1.0/images',
        { source: { type: 'url' } },
        400,
        'Images are made from uploads only, not from other images, URLs or instances',
      ],
      ['an alias without a name', ALIASES, { target: 'x' }, 404, 'Image not found'],
      ['an alias of nothing', ALIASES, { name: 'a', target: 'ffff' }, 404, 'Image not found'],
      ['an unknown alias', 'GET /1.0/images/aliases/none', '', 404, 'Image alias not found'],
      ['an unknown alias, deleted', 'DELETE /1.0/images/aliases/none', '', 404, 'Image alias not found'],
      ['an unknown image, exported', 'GET /1.0/images/ffff/export', '', 404, 'Image not found'],
    ],
    { 'content-type': 'application/json' },
  );

  test('an alias that is there, and one with control characters', async () => {
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
    expect(await make('')).toEqual({ status: 400, error: 'No name provided' });
    expect(await everything()).toEqual(before);
  });
});

describe('a request that is none is refused:', () => {
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
    ['an unknown path', 'GET /1.0/networks', '', 404, 'not found'],
    ['an unknown path', 'GET /2.0', '', 404, 'not found'],
    ['a path above all', 'GET /../etc/passwd', '', 404, 'not found'],
    ['an unknown path below', 'POST /1.0/instances/c1/snapshots', {}, 404, 'not found'],
    ['an unknown method', 'DELETE /1.0/instances', '', 501, 'not implemented'],
    ['an unknown method', 'PUT /1.0/instances/c1/exec', {}, 501, 'not implemented'],
    ['an unknown method', 'POST /1.0', {}, 501, 'not implemented'],
    ['another project', 'GET /1.0/instances/c1?project=other', '', 404, 'Project not found'],
    ['another project', 'PUT /1.0/instances/c1?project=other', {}, 404, 'Project not found'],
  ]);

  test('a body of more than 8 MiB, with and without its length', async () => {
    const before = await everything();
    const body = JSON.stringify(config('user.a', 'v'.repeat(20 * MIB)));
    const refused = { status: 413, error: 'The body is larger than 8388608 bytes' };
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      for (const [method, path] of [PUT.split(' '), NEW.split(' '), ['POST', '/1.0/profiles']] as [
        string,
        string,
      ][]) {
        expect(await refusalOf(daemon, await ask(daemon, method, path, body, headers))).toEqual(refused);
      }
    }
    expect(await everything()).toEqual(before);
  });

  test('bytes that are not HTTP', async () => {
    for (const bytes of ['\0\0\0\0\r\n\r\n', 'GET\r\n\r\n', 'GET / HTTP/1.1\r\nBad Header: 1\r\n\r\n']) {
      const socket = createConnection(daemon.hostSocket);
      await once(socket, 'connect');
      socket.write(bytes);
      expect(await readText(socket)).toMatch(/^HTTP\/1\.1 400 [\s\S]*Malformed HTTP request/);
    }
  });

  test('a body that breaks off', async () => {
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

describe('a change of something else than what its sender saw (ETag) is refused:', () => {
  test.each([
    [
      '/1.0/instances/c1',
      { PUT: instance({ config: { 'user.a': 'new' } }), PATCH: { config: { 'user.a': 'new' } } },
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

  test('and of two who saw the same only one changes it', async () => {
    const { etag } = await ask(daemon, 'GET', '/1.0/profiles/p1');
    const change = (value: string) =>
      ask(daemon, 'PUT', '/1.0/profiles/p1', JSON.stringify({ config: { 'user.a': value } }), {
        'if-match': etag,
      });
    const statuses = (await Promise.all(['one', 'two', 'three'].map(change))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 412, 412]);
  });
});
