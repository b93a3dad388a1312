import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import type { FakeHost } from '../client/testing/fake-host.ts';
import { fakeOperation, startFakeHost } from '../client/testing/fake-host.ts';
import { fakeInstance } from './testing/fake-instance.ts';
import { type FakeIoOptions, runIn } from './testing/fake-io.ts';

/** Sets the title of a window, clears the screen in two ways, overwrites the line, reverses later text. */
const EVIL = 'x\x1b]0;owned\x07\x1b[2J\x9b2J\x9d0;y\x9c\rz\x08\x7f\u202e\u2066';
/** The same, followed by a forged line. */
const LINES = `${EVIL}\nError: forged`;

/** Characters that a terminal obeys. */
const OBEYED = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/;

let host: FakeHost;
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp('/var/tmp/porthole-hostile-');
  host = await startFakeHost(hostileAnswers());
  host.onSocket = (socket) => {
    const metadata = { action: EVIL, source: LINES, context: { [EVIL]: EVIL }, level: EVIL, message: LINES };
    for (const type of ['lifecycle', 'logging', EVIL])
      socket.send(JSON.stringify({ type, timestamp: EVIL, metadata }));
    socket.close();
  };
});
afterEach(async () => {
  await host.stop();
  await rm(dir, { recursive: true });
});

const FINGERPRINT = 'ab'.repeat(32);

function hostileAnswers() {
  const values = {
    ...{ [`user.${EVIL}`]: EVIL, 'user.evil': LINES, 'guest.evil': LINES },
    ...{ 'volatile.container.runtime': 'docker', 'volatile.container.name': LINES },
    'volatile.container.labels': JSON.stringify({ [EVIL]: LINES }),
  };
  const devices = { [EVIL]: { type: EVIL, [EVIL]: LINES }, eth0: { type: LINES } };
  const network = fakeInstance().state?.network?.['eth0'];
  const state = {
    ...fakeInstance().state,
    network: { [EVIL]: { ...network, host_name: LINES, hwaddr: EVIL } },
  };
  const texts = { description: LINES, architecture: EVIL, profiles: [EVIL], status: EVIL };
  const configs = { config: values, expanded_config: values, devices, expanded_devices: devices };
  const instance = { ...fakeInstance(), ...texts, ...configs, state };
  const alias = { name: EVIL, target: FINGERPRINT, description: LINES, type: 'container' };
  const image = {
    ...{ fingerprint: FINGERPRINT, type: EVIL, architecture: EVIL, filename: LINES, size: 1, public: false },
    ...{ properties: { [EVIL]: LINES, description: EVIL, evil: LINES }, profiles: [EVIL], aliases: [alias] },
  };
  const operation = fakeOperation({ description: LINES, metadata: values, err: EVIL });
  const profile = { name: EVIL, description: LINES, config: values, devices, used_by: [EVIL] };
  const refused = () => ({ error: [400, LINES] as const });
  return {
    'GET /1.0': () => ({
      metadata: { environment: { server: LINES }, porthole: {}, api_extensions: [], config: values },
    }),
    'GET /1.0/instances': () => ({ metadata: [instance] }),
    'GET /1.0/instances/c1': () => ({ metadata: instance }),
    'GET /1.0/instances/c1/logs/lxc.log': () => ({ raw: LINES }),
    'GET /1.0/profiles': () => ({ metadata: [profile] }),
    'GET /1.0/profiles/p': () => ({ metadata: profile }),
    'GET /1.0/images': () => ({ metadata: [image] }),
    [`GET /1.0/images/${FINGERPRINT}`]: () => ({ metadata: image }),
    'GET /1.0/images/aliases': () => ({ metadata: [alias] }),
    'GET /1.0/operations': () => ({ metadata: { running: [operation] } }),
    'GET /1.0/operations/o': () => ({ metadata: operation }),
    'PUT /1.0/instances/c1/state': refused,
    'PUT /1.0/instances/c1': refused,
    'DELETE /1.0/instances/c1': refused,
    'GET /1.0/instances/c1/files': filesOf,
    'HEAD /1.0/instances/c1/files': () => ({ raw: '', headers: { 'X-LXD-type': 'directory' } }),
    'POST /1.0/instances/c1/files': refused,
    'DELETE /1.0/instances/c1/files': refused,
  };
}

/** A tree with a link that cannot be made twice, and a name that cannot be saved. */
function filesOf({ url }: { url: string }) {
  const path = new URLSearchParams(url.split('?')[1]).get('path');
  if (path === '/text') return { raw: EVIL };
  if (path?.startsWith('/entry/')) return { error: [404, LINES] as const };
  if (path?.startsWith('/links/')) return { headers: { 'X-LXD-type': 'symlink' }, raw: LINES };
  const names: Record<string, string[]> = {
    '/links': ['l', 'l'],
    '/entry': [LINES],
    '/slash': [`a/${LINES}`],
  };
  return { headers: { 'X-LXD-type': 'directory', 'X-LXD-mode': '0755' }, metadata: names[path ?? ''] ?? [] };
}

const FORMATS = ['table', 'csv', 'json', 'yaml', 'compact'];
const COMMANDS = [
  ...FORMATS.flatMap((format) => [
    `list -f ${format} -c nsadPt46,user.evil,guest.evil`,
    `image list -f ${format} -c lfpdatsu`,
    `image alias list -f ${format}`,
    `profile list -f ${format}`,
    `operation list -f ${format}`,
    `config device list c1 -f ${format}`,
  ]),
  ...['text', 'json', 'yaml'].flatMap((format) => [`info c1 -f ${format} --show-log`, `info -f ${format}`]),
  ...['yaml', 'json', 'pretty'].map((format) => `monitor -f ${format}`),
  ...['config show c1', 'config device show c1', 'profile show p', `image show ${FINGERPRINT}`],
  ...[`image info ${FINGERPRINT}`, 'operation show o', 'query /1.0/instances', 'query --raw /1.0/instances'],
  ...['start c1', 'stop c1 c1', 'delete -f c1', 'config set c1 a=b', 'exec c1 -- ls', 'rename c1 c2'],
  ...['file pull -r c1/entry DIR', 'file pull -r c1/slash DIR', 'file push -r DIR c1/x', 'file rm c1/x'],
  ...['version', '__complete -- file pull c1/entry/', '__complete -- config get c1 user.'],
];
const VALUES = [
  'config get c1 user.evil',
  'config device get c1 eth0 type',
  `image get-property ${FINGERPRINT} evil`,
];

async function shown(words: string, options: FakeIoOptions = {}) {
  const { stdout, stderr } = await runIn(host.dir, words.replace('DIR', dir).split(' '), options);
  return { stdout, stderr };
}

describe.each([
  ['a terminal', true],
  ['a pipe', false],
])('names that guests have chosen do nothing on %s', (_where, terminal) => {
  it.each(COMMANDS)('with %s', async (words) => {
    const { stdout, stderr } = await shown(words, { terminal });
    const csvForPrograms = words.includes('-f csv') && !terminal;
    if (!csvForPrograms) expect(stdout).not.toMatch(OBEYED);
    // These come from porthole itself, which removes its line of progress.
    expect(stderr.replaceAll('\r\x1b[K', '')).not.toMatch(OBEYED);
    if (!words.startsWith('__complete')) expect(stdout + stderr).not.toBe('');
    expect(stderr).not.toMatch(/^Error: forged/m);
  });
});

it('the error for a link that cannot be saved does nothing on a terminal', async () => {
  await mkdir(join(dir, 'links/l'), { recursive: true });
  const { stderr } = await shown('file pull -r c1/links DIR');
  expect(stderr).toMatch(/^Error: \S+ exists already/);
  expect(stderr).not.toMatch(OBEYED);
  expect(stderr).not.toMatch(/^Error: forged/m);
});

it.each(VALUES)('a value is safe text on a terminal, and unchanged for programs: %s', async (words) => {
  expect((await shown(words)).stdout).toBe(`${LINES}\n`);
  expect((await shown(words, { terminal: true })).stdout).not.toMatch(OBEYED);
});

it('a file that is pulled to standard output is unchanged, also on a terminal', async () => {
  for (const terminal of [true, false])
    expect((await shown('file pull c1/text -', { terminal })).stdout).toBe(EVIL);
});

it('JSON and YAML have exactly the values', async () => {
  const { parse } = await import('yaml');
  const json = JSON.parse((await shown('list -f json')).stdout);
  const yaml = parse((await shown('list -f yaml')).stdout);
  for (const [instance] of [json, yaml]) {
    expect([instance.config['user.evil'], instance.config[`user.${EVIL}`]]).toEqual([LINES, EVIL]);
  }
});

it('only io.ts and progress.ts write to standard output and standard error', () => {
  const own = ['io.ts', 'progress.ts'];
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !/\.test\.ts$|^testing/.test(file) && !own.includes(file),
  );
  const writing = files.filter((file) =>
    /(stdout|stderr|output)\.write\(|console\.(log|error|warn|info|debug)/.test(
      readFileSync(join(import.meta.dirname, file), 'utf8'),
    ),
  );
  expect(writing).toEqual([]);
});
