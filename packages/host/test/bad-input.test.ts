import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hostApi } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  await daemon.must('init', '--empty', 'c1');
});
afterAll(() => daemon?.destroy());

/** Sends a request as it is; the error in the answer, or of the operation that it began. */
async function send(method: string, path: string, body?: string, headers = {}): Promise<[number, string]> {
  const outgoing = request({ socketPath: daemon.hostSocket, method, path, headers });
  outgoing.end(body);
  const [answer] = (await new Promise((resolve, reject) => {
    outgoing.on('response', (...args) => resolve(args));
    outgoing.on('error', reject);
  })) as [import('node:http').IncomingMessage];
  const envelope = JSON.parse(await text(answer)) as { error: string; operation?: string };
  if (!envelope.operation) return [answer.statusCode ?? 0, envelope.error];
  const { err } = await hostApi(daemon).get<{ err: string }>(`${envelope.operation}/wait`);
  return [answer.statusCode ?? 0, err];
}

const everything = async () => {
  const paths = ['/1.0/instances?recursion=1', '/1.0/profiles?recursion=1', '/1.0/images?recursion=1'];
  return Promise.all(paths.map((path) => hostApi(daemon).get(path)));
};

const LONG = 'x'.repeat(2 * 1024 * 1024);
const put = (change: object) => JSON.stringify({ profiles: ['default'], config: {}, devices: {}, ...change });
const create = (change: object) => JSON.stringify({ name: 'n1', source: { type: 'none' }, ...change });

it.each<[string, string, string | undefined, number, RegExp]>([
  ['GET', '/1.0/instances/nobody', undefined, 404, /^Instance not found$/],
  ['GET', '/1.0/nothing', undefined, 404, /^not found$/],
  ['DELETE', '/1.0/instances', undefined, 501, /^not implemented$/],
  ['POST', '/1.0/instances', '{', 400, /./],
  ['POST', '/1.0/instances', '[]', 400, /./],
  [
    'POST',
    '/1.0/instances',
    create({ name: '1abc' }),
    400,
    /^Invalid instance name: Name must not start with a number$/,
  ],
  ['POST', '/1.0/instances', create({ name: '-a' }), 400, /must not start with "-" character$/],
  [
    'POST',
    '/1.0/instances',
    create({ name: 'a/b' }),
    400,
    /can only contain alphanumeric and hyphen characters$/,
  ],
  ['POST', '/1.0/instances', create({ name: 'a'.repeat(64) }), 400, /Name must be 1-63 characters long$/],
  ['POST', '/1.0/instances', create({ profiles: ['none'] }), 400, /^Requested profile "none" doesn't exist$/],
  ['POST', '/1.0/instances', create({ source: { type: 'magic' } }), 400, /^Unknown source type magic$/],
  [
    'POST',
    '/1.0/instances',
    create({ source: { type: 'image', alias: 'no' } }),
    404,
    /^Image alias not found$/,
  ],
  ['POST', '/1.0/instances', create({ name: 'c1' }), 202, /This "instances" entry already exists$/],
  [
    'POST',
    '/1.0/instances',
    create({ config: { bogus: '1' } }),
    202,
    /^Failed creating instance record: Unknown configuration key: bogus$/,
  ],
  [
    'PUT',
    '/1.0/instances/c1',
    put({ config: { bogus: '1' } }),
    202,
    /^Invalid config: Unknown configuration key: bogus$/,
  ],
  [
    'PUT',
    '/1.0/instances/c1',
    put({ config: { 'security.devlxd': 'maybe' } }),
    202,
    /^Invalid config: Invalid value for a boolean "maybe"$/,
  ],
  ['PUT', '/1.0/instances/c1', put({ config: { 'user.a': LONG } }), 202, /^Invalid config: /],
  ['PUT', '/1.0/instances/c1', put({ config: { 'user.a\u0000': 'x' } }), 400, /config\.user\.a/],
  ['PUT', '/1.0/instances/c1', put({ config: { 'user.a': 1 } }), 400, /user\.a/],
  ['PUT', '/1.0/instances/c1', put({ profiles: ['none'] }), 202, /^Profile not found$/],
  ['PUT', '/1.0/instances/c1', put({ profiles: [] }), 202, /No root device could be found$/],
  [
    'PUT',
    '/1.0/instances/c1',
    put({ devices: { g: { type: 'gpu' } } }),
    202,
    /^Invalid devices: Failed loading device "g": Unsupported device type$/,
  ],
  [
    'PUT',
    '/1.0/instances/c1',
    put({ devices: { d: { type: 'disk', path: '/x', source: 'rel' } } }),
    202,
    /Source path must be absolute for local sources$/,
  ],
  [
    'PUT',
    '/1.0/instances/c1',
    put({ devices: { d: { type: 'disk', path: '/x', source: '/none/there' } } }),
    202,
    /^Failed add validation for device "d": Missing source path "\/none\/there"/,
  ],
  [
    'PUT',
    '/1.0/instances/c1',
    put({ devices: { n: { type: 'nic', nictype: 'p2p', hwaddr: 'zz' } } }),
    202,
    /Invalid MAC address/,
  ],
  ['PUT', '/1.0/instances/c1/state', '{"action":"fly"}', 400, /^Unknown action: 'fly'$/],
  ['PUT', '/1.0/instances/c1/state', '{"action":"stop"}', 202, /^The instance is already stopped$/],
  ['POST', '/1.0/instances/c1', '{"name":"c1"}', 409, /^Name "c1" already in use$/],
  ['POST', '/1.0/instances/c1/exec', '{"command":["true"]}', 400, /^Instance is not running$/],
  ['POST', '/1.0/profiles', '{"name":""}', 400, /^No name provided$/],
  ['POST', '/1.0/profiles', '{"name":"a/b"}', 400, /^Profile names may not contain slashes$/],
  [
    'POST',
    '/1.0/profiles',
    '{"name":"p","config":{"volatile.uuid":"x"}}',
    400,
    /^Volatile keys can only be set on instances$/,
  ],
  ['DELETE', '/1.0/profiles/default', undefined, 403, /^The "default" profile cannot be deleted$/],
  ['POST', '/1.0/images/aliases', '{"name":"a","target":"ffff"}', 404, /^Image not found$/],
  ['POST', '/1.0/images', '{"source":{"type":"url"}}', 400, /./],
  ['GET', '/1.0/operations/nothing', undefined, 404, /^Operation not found$/],
  ['PUT', '/1.0', '{"config":{"k":"v"}}', 400, /^cannot set 'k' to 'v': unknown key$/],
])('%s %s, case %#, is refused and changes nothing', async (method, path, body, status, message) => {
  const before = await everything();
  const [given, error] = await send(method, path, body, { 'Content-Type': 'application/json' });
  expect([given, error]).toEqual([status, expect.stringMatching(message)]);
  expect(await everything()).toEqual(before);
});

it('an edit of something that has changed meanwhile is refused with 412', async () => {
  const headers = { 'Content-Type': 'application/json', 'If-Match': '"old"' };
  const [status, error] = await send('PUT', '/1.0/instances/c1', put({}), headers);
  expect([status, error]).toEqual([412, expect.stringMatching(/^ETag doesn't match: /)]);
});

it('a body that no request needs is refused with 413', async () => {
  const body = JSON.stringify({ name: 'n', description: 'x'.repeat(16 * 1024 * 1024) });
  const [status] = await send('POST', '/1.0/profiles', body, { 'Content-Type': 'application/json' });
  expect(status).toBe(413);
});
