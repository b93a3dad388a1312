import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import type { FakeHost } from '../../client/testing/fake-host.ts';
import { finishedOperation, startFakeHost } from '../../client/testing/fake-host.ts';
import { fakeInstance } from '../testing/fake-instance.ts';
import type { FakeIoOptions } from '../testing/fake-io.ts';
import { fakeIo, runIn } from '../testing/fake-io.ts';
import { buildProgram } from './whole-program.ts';

const FINGERPRINT = 'ab'.repeat(32);
const done = () => ({ operation: finishedOperation() });
const image = {
  fingerprint: FINGERPRINT,
  type: 'container',
  properties: {},
  profiles: [],
  aliases: [],
  size: 1,
};

let host: FakeHost;
beforeEach(async () => {
  host = await startFakeHost({
    'GET /1.0/images/aliases/busybox': () => ({ metadata: { name: 'busybox', target: FINGERPRINT } }),
    [`GET /1.0/images/${FINGERPRINT}`]: () => ({ metadata: image }),
    'GET /1.0/instances/c1': () => ({ metadata: fakeInstance({ config: { 'user.a': '1' } }), etag: '"e"' }),
    'PUT /1.0/instances/c1': done,
    'PUT /1.0/instances/c1/state': done,
    'DELETE /1.0/instances/c1': done,
    'POST /1.0/instances': () => ({
      operation: finishedOperation({ resources: { instances: ['/1.0/instances/able-fox'] } }),
    }),
    'PUT /1.0/instances/able-fox/state': done,
    'GET /1.0/instances/theirs': () => ({
      metadata: fakeInstance({ name: 'theirs', config: { 'volatile.adopted': '7:7:7' } }),
    }),
    'PUT /1.0/instances/theirs/state': done,
    'DELETE /1.0/instances/theirs': done,
  });
});
afterEach(() => host.stop());

const porthole = (words: string, options?: FakeIoOptions) =>
  runIn(host.dir, words.split(' ').filter(Boolean), options);

/** The body of the last request of a method. */
const sent = (method: string) => {
  const request = host.received.findLast((one) => one.method === method);
  return request && JSON.parse(request.body.toString());
};

describe('exit codes', () => {
  it('are 2 for wrong usage, which is explained on standard error', async () => {
    const wrong = [
      'nonsense',
      'launch',
      'start',
      'start --all c1',
      'list -c _',
      'list --formatt csv',
      'list -f x',
      'exec c1',
    ];
    for (const words of [
      ...wrong,
      'launch busybox --no-profiles -p a',
      'exec c1 -t -T ls',
      'config set c1 user.a',
    ]) {
      const { code, stdout, stderr } = await porthole(words);
      expect([words, code, stdout]).toEqual([words, 2, '']);
      expect(stderr).toMatch(/^Error: .*\n(.*\n)?Add --help/);
    }
  });

  it('are 1 for a failure, with the text of the daemon', async () => {
    const { code, stdout, stderr } = await porthole('info c9');
    expect([code, stdout, stderr]).toEqual([1, '', 'Error: not found\n']);
  });

  it('are 0 for help and version, on standard output', async () => {
    for (const words of ['', '--help', 'launch --help', 'help image', '--version']) {
      const { code, stdout, stderr } = await porthole(words);
      expect([words, code, stderr]).toEqual([words, 0, '']);
      expect(stdout).not.toBe('');
    }
  });

  it('are 2 for a group without a command, with its help on standard error', async () => {
    const { code, stdout, stderr } = await porthole('image alias');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: porthole image alias');
  });
});

it('a project other than LXD’s default is refused before any request', async () => {
  const { code, stdout, stderr } = await porthole('config get c1 user.a --project web');
  expect([code, stdout, stderr.split('\n')[0]]).toEqual([
    2,
    '',
    'Error: There is no project "web": Porthole has one, default',
  ]);
  expect(host.received).toEqual([]);
  expect(await porthole('--project default config get c1 user.a')).toMatchObject({ code: 0, stdout: '1\n' });
});

it('for a mistyped command the one that was meant is suggested', async () => {
  expect((await porthole('lanch busybox')).stderr).toContain('Did you mean launch?');
});

it('without a daemon the error names the socket, and how to start the daemon', async () => {
  const { code, stderr } = await porthole('list --state-dir /nowhere');
  expect([code, stderr]).toEqual([
    1,
    "Error: Porthole's daemon is not running: there is no /nowhere/unix.socket. Start it with: portholed\n",
  ]);
});

describe('launch', () => {
  it('makes the instance from the image of the alias and starts it', async () => {
    const { code, stdout, stderr } = await porthole('launch busybox c1 -c user.a=b -c user.c=d -p x -p y -e');
    expect([code, stdout, stderr]).toEqual([0, '', 'Creating c1\nStarting c1\n']);
    expect(sent('POST')).toMatchObject({
      name: 'c1',
      config: { 'user.a': 'b', 'user.c': 'd' },
      profiles: ['x', 'y'],
      ephemeral: true,
      source: { type: 'image', fingerprint: FINGERPRINT },
    });
    expect(sent('PUT')).toMatchObject({ action: 'start', timeout: -1, force: false });
  });

  it('prints the name that the daemon chose, and nothing else on standard output', async () => {
    const { stdout, stderr } = await porthole('launch busybox -q');
    expect([stdout, stderr]).toEqual(['able-fox\n', '']);
    expect(sent('POST')).toMatchObject({ name: '', profiles: null });
  });

  it('sends no profiles with --no-profiles, and does not read standard input on its own', async () => {
    await porthole('init busybox c1 --no-profiles', { stdin: 'config: {user.x: y}' });
    expect(sent('POST')).toMatchObject({ profiles: [], config: {} });
  });

  it('reads YAML with --config-file; options override it', async () => {
    const stdin = 'config: {user.x: y, user.a: file}\nprofiles: [web]\ndevices: {d: {type: none}}';
    await porthole('init busybox c1 --config-file - -c user.a=option', { stdin });
    expect(sent('POST')).toMatchObject({
      config: { 'user.x': 'y', 'user.a': 'option' },
      profiles: ['web'],
      devices: { d: { type: 'none' } },
    });
  });

  it('refuses a YAML key that it does not know', async () => {
    const { code, stderr } = await porthole('init busybox c1 --config-file -', { stdin: 'confg: {}' });
    expect([code, stderr]).toEqual([2, expect.stringContaining('unknown key "confg"')]);
    expect(sent('POST')).toBeUndefined();
  });

  it('merges device options into the device of the profile, and sends the whole device', async () => {
    host.routes['GET /1.0/profiles/default'] = () => ({
      metadata: { devices: { root: { type: 'disk', path: '/', pool: 'p' } } },
    });
    await porthole('init busybox c1 -d root,size=1GB -d eth0,type=none');
    expect(sent('POST').devices).toEqual({
      root: { type: 'disk', path: '/', pool: 'p', size: '1GB' },
      eth0: { type: 'none' },
    });
    const { code, stderr } = await porthole('init busybox c1 -d data,size=1GB');
    expect([code, stderr]).toEqual([2, expect.stringContaining('No profile has a device "data"')]);
  });

  it('makes an empty instance without asking for an image', async () => {
    await porthole('init --empty c1');
    expect(sent('POST')).toMatchObject({ name: 'c1', source: { type: 'none' } });
    expect(host.received.some(({ url }) => url.includes('images'))).toBe(false);
  });

  it('says where images come from when no image has that name', async () => {
    const { code, stderr } = await porthole('launch images:debian/12 c1');
    expect([code, stderr]).toEqual([1, expect.stringContaining('Porthole downloads no images')]);
  });
});

describe('adopt', () => {
  it('makes an instance of a process', async () => {
    expect((await porthole('adopt web --pid 4242 -c user.a=1 --no-profiles')).code).toBe(0);
    expect(sent('POST')).toEqual({
      name: 'web',
      description: '',
      ephemeral: false,
      profiles: [],
      config: { 'user.a': '1' },
      source: { type: 'adopt', pid: 4242 },
    });
  });

  it('begins the next run of an existing instance, and changes nothing else of it', async () => {
    expect((await porthole('adopt theirs --pid 4242')).code).toBe(0);
    expect(sent('PUT')).toEqual({ action: 'start', pid: 4242 });
    const { code, stderr } = await porthole('adopt theirs --pid 4242 -c user.a=1');
    expect([code, stderr]).toEqual([2, expect.stringContaining('theirs exists: change it with')]);
  });

  it('needs a pid', async () => {
    expect((await porthole('adopt web')).code).toBe(2);
    expect((await porthole('adopt web --pid x')).code).toBe(2);
  });
});

describe('start, stop, restart and delete', () => {
  it('send the options that were given', async () => {
    await porthole('stop c1 --force');
    expect(sent('PUT')).toMatchObject({ action: 'stop', force: true, timeout: -1 });
    await porthole('restart c1 --timeout 7');
    expect(sent('PUT')).toMatchObject({ action: 'restart', force: false, timeout: 7 });
  });

  it('pause freezes a running instance, start lets it go on', async () => {
    await porthole('pause c1');
    expect(sent('PUT')).toMatchObject({ action: 'freeze' });
    host.routes['GET /1.0/instances/c1'] = () => ({ metadata: fakeInstance({ status_code: 110 }) });
    await porthole('start c1');
    expect(sent('PUT')).toMatchObject({ action: 'unfreeze' });
  });

  it('act on all suitable instances with --all', async () => {
    const stopped = fakeInstance({ name: 'c2', status: 'Stopped', status_code: 102 });
    host.routes['GET /1.0/instances'] = () => ({ metadata: [fakeInstance(), stopped] });
    host.routes['GET /1.0/instances/c2'] = () => ({ metadata: stopped });
    host.routes['PUT /1.0/instances/c2/state'] = done;
    await porthole('stop --all');
    await porthole('start --all');
    const urls = host.received.filter(({ method }) => method === 'PUT').map(({ url }) => url);
    expect(urls).toEqual(['/1.0/instances/c1/state', '/1.0/instances/c2/state']);
  });

  it('restart with --all skips stopped and frozen instances, unless forced', async () => {
    const frozen = fakeInstance({ name: 'c2', status: 'Frozen', status_code: 110 });
    const stopped = fakeInstance({ name: 'c3', status: 'Stopped', status_code: 102 });
    host.routes['GET /1.0/instances'] = () => ({ metadata: [fakeInstance(), frozen, stopped] });
    host.routes['PUT /1.0/instances/c2/state'] = done;
    const urls = () => host.received.filter(({ method }) => method === 'PUT').map(({ url }) => url);
    await porthole('restart --all');
    expect(urls()).toEqual(['/1.0/instances/c1/state']);
    await porthole('restart --all --force');
    expect(urls().slice(1)).toEqual(['/1.0/instances/c1/state', '/1.0/instances/c2/state']);
  });

  it('go on with the others when one fails, and name it', async () => {
    const { code, stderr } = await porthole('stop c1 c9');
    expect([code, stderr]).toEqual([1, 'Error: c9: not found\n']);
    expect(host.received.length).toBe(2);
  });

  it('point to the log when an operation fails', async () => {
    host.routes['PUT /1.0/instances/c1/state'] = () => ({ operation: finishedOperation({ err: 'no init' }) });
    const { stderr } = await porthole('start c1');
    expect(stderr).toBe('Error: no init\n  Try `porthole info --show-log c1` for more info\n');
  });

  it('do not point to the log when the daemon refuses at once', async () => {
    host.routes['PUT /1.0/instances/c1/state'] = () => ({ error: [400, 'already stopped'] });
    expect((await porthole('stop c1')).stderr).toBe('Error: already stopped\n');
  });

  it('delete none of several instances if one is not there', async () => {
    const { code, stderr } = await porthole('delete -f c1 c9');
    expect([code, stderr]).toEqual([1, 'Error: c9: not found; nothing was deleted\n']);
    expect(host.received.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('refuse to delete a running instance without --force', async () => {
    const { code, stderr } = await porthole('delete c1');
    expect([code, stderr]).toEqual([
      1,
      'Error: The instance is currently running, stop it first or pass --force\n',
    ]);
    expect((await porthole('delete -f c1')).code).toBe(0);
    const changes = host.received
      .filter(({ method }) => method !== 'GET')
      .map(({ method, url }) => `${method} ${url}`);
    expect(changes).toEqual(['PUT /1.0/instances/c1/state', 'DELETE /1.0/instances/c1']);
  });

  it.each([
    ['y\nyes\n', 0, ['DELETE /1.0/instances/c1', 'DELETE /1.0/instances/theirs']],
    ['yes\nno\n', 1, []],
    ['yes\n', 1, []],
    ['', 1, []],
  ])('ask before they delete anything: %j', async (stdin, code, deletions) => {
    host.routes['GET /1.0/instances/c1'] = () => ({
      metadata: fakeInstance({ status: 'Stopped', status_code: 102 }),
    });
    const answer = await porthole('delete -i -f c1 theirs', { stdin });
    expect(answer.code).toBe(code);
    expect(answer.stderr).toMatch(/^Remove c1 \(yes\/no\): /);
    expect(answer.stderr.includes('Error: User aborted delete operation\n')).toBe(code === 1);
    const changes = host.received.filter(({ method }) => method !== 'GET');
    expect(changes.map(({ method, url }) => `${method} ${url}`).sort()).toEqual(deletions);
  });

  it('do not stop an adopted instance before they forget it', async () => {
    expect((await porthole('delete -f theirs')).code).toBe(0);
    const changes = host.received.filter(({ method }) => method !== 'GET').map(({ method }) => method);
    expect(changes).toEqual(['DELETE']);
  });

  it('leave the deletion of an ephemeral instance to the daemon', async () => {
    host.routes['GET /1.0/instances/c1'] = () => ({ metadata: fakeInstance({ ephemeral: true }) });
    await porthole('delete -f c1');
    expect(host.received.some(({ method }) => method === 'DELETE')).toBe(false);
  });
});

describe('config', () => {
  it('get prints the value, or an empty line', async () => {
    expect((await porthole('config get c1 user.a')).stdout).toBe('1\n');
    expect(await porthole('config get c1 user.b')).toMatchObject({ code: 0, stdout: '\n' });
  });

  it('set changes several keys in one request, with If-Match', async () => {
    const words = ['config', 'set', 'c1', 'user.foo=bar', 'user.xyz=bar %s bar'];
    expect(await runIn(host.dir, words)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(sent('PUT').config).toEqual({ 'user.a': '1', 'user.foo': 'bar', 'user.xyz': 'bar %s bar' });
    expect(host.received.at(-1)?.headers['if-match']).toBe('"e"');
  });

  it('unset leaves the key out, and fails when there is none', async () => {
    await porthole('config unset c1 user.a');
    expect(sent('PUT').config).toEqual({});
    expect(await porthole('config unset c1 user.b')).toMatchObject({
      code: 1,
      stderr: "Error: Can't unset key 'user.b', it's not currently set\n",
    });
  });

  it('edit replaces everything with standard input', async () => {
    await porthole('config edit c1', { stdin: 'config: {user.z: "1"}\nprofiles: []\n' });
    expect(sent('PUT')).toEqual({ config: { 'user.z': '1' }, profiles: [] });
  });

  it('edit writes the text from the editor, unless another client wrote first', async () => {
    const env = { EDITOR: "sed -i 's/user.a/user.b/'" };
    expect((await porthole('config edit c1', { env })).stderr).toBe('');
    expect(sent('PUT').config).toEqual({ 'user.b': '1' });
    expect(host.received.at(-1)?.headers['if-match']).toBe('"e"');
    host.routes['PUT /1.0/instances/c1'] = () => ({ error: [412, "ETag doesn't match"] });
    const { code, stderr } = await porthole('config edit c1', { env });
    const file = /Your text is kept in (\S+)/.exec(stderr)?.[1] ?? '';
    expect([code, await readFile(file, 'utf8')]).toEqual([1, expect.stringContaining('user.b')]);
    await rm(join(file, '..'), { recursive: true });
  });

  it('edit writes nothing when nothing was changed', async () => {
    await porthole('config edit c1', { env: { EDITOR: 'true' } });
    expect(sent('PUT')).toBeUndefined();
  });

  it('device add, set and remove change one device', async () => {
    const devices = { data: { type: 'disk', path: '/mnt' } };
    await porthole('config device add c1 data disk source=/srv path=/mnt');
    expect(sent('PUT').devices).toEqual({ data: { type: 'disk', source: '/srv', path: '/mnt' } });
    host.routes['GET /1.0/instances/c1'] = () => ({
      metadata: fakeInstance({ devices, expanded_devices: devices }),
    });
    await porthole('config device set c1 data readonly=true');
    expect(sent('PUT').devices).toEqual({ data: { ...devices.data, readonly: 'true' } });
    await porthole('config device unset c1 data path');
    expect(sent('PUT').devices).toEqual({ data: { type: 'disk' } });
    // The daemon knows whether there is such an option.
    await porthole('config device unset c1 data nothing');
    expect(sent('PUT').devices).toEqual({ data: { ...devices.data, nothing: '' } });
    await porthole('config device remove c1 data');
    expect(sent('PUT').devices).toEqual({});
    expect((await porthole('config device add c1 data none')).stderr).toBe(
      'Error: The device already exists\n',
    );
    expect((await porthole('config device remove c1 x')).stderr).toBe("Error: Device doesn't exist\n");
  });

  it('a device of a profile is not changed on the instance', async () => {
    host.routes['GET /1.0/instances/c1'] = () => ({
      metadata: fakeInstance({ expanded_devices: { eth0: { type: 'nic' } } }),
    });
    const { stderr } = await porthole('config device set c1 eth0 mtu=1');
    expect(stderr).toContain('cannot be modified for individual instance');
    await porthole('config device override c1 eth0 mtu=1400');
    expect(sent('PUT').devices).toEqual({ eth0: { type: 'nic', mtu: '1400' } });
  });
});

describe('profile', () => {
  it('assign replaces the list, add and remove change it', async () => {
    await porthole('profile assign c1 a,b');
    expect(sent('PUT').profiles).toEqual(['a', 'b']);
    await runIn(host.dir, ['profile', 'assign', 'c1', '']);
    expect(sent('PUT').profiles).toEqual([]);
    await porthole('profile add c1 web');
    expect(sent('PUT').profiles).toEqual(['default', 'web']);
    await porthole('profile remove c1 default');
    expect(sent('PUT').profiles).toEqual([]);
    expect((await porthole('profile remove c1 x')).code).toBe(1);
  });

  it('unset also takes a key that is not set, as lxc does, and leaves the rest to the daemon', async () => {
    host.routes['GET /1.0/profiles/p'] = () => ({ metadata: { config: { 'user.a': '1' }, devices: {} } });
    host.routes['PUT /1.0/profiles/p'] = () => ({});
    expect(await porthole('profile unset p user.b')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(sent('PUT').config).toEqual({ 'user.a': '1', 'user.b': '' });
  });

  it('create prints a note, unless quiet', async () => {
    host.routes['POST /1.0/profiles'] = () => ({ metadata: null });
    expect(await porthole('profile create p')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'Profile p created\n',
    });
    expect(await porthole('profile create p -q')).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('image', () => {
  it('import uploads the image, sets its aliases and prints the fingerprint', async () => {
    host.routes['POST /1.0/images'] = () => ({
      operation: finishedOperation({ metadata: { fingerprint: FINGERPRINT } }),
    });
    host.routes['POST /1.0/images/aliases'] = () => ({ metadata: null });
    const file = join(host.dir, 'bb.tar');
    await writeFile(file, 'tar');
    const { code, stdout } = await porthole(`image import ${file} os=busybox --alias new --alias busybox`);
    expect([code, stdout]).toEqual([0, `Image imported with fingerprint: ${FINGERPRINT}\n`]);
    const posts = host.received.filter(({ method, url }) => method === 'POST' && url.endsWith('aliases'));
    expect(posts.map(({ body }) => JSON.parse(body.toString()).name)).toEqual(['new']);
  });

  it('build uploads the image, gives it its kind as alias, and leaves no files', async () => {
    host.routes['POST /1.0/images'] = () => ({
      operation: finishedOperation({ metadata: { fingerprint: 'f00' } }),
    });
    host.routes['POST /1.0/images/aliases'] = () => ({ metadata: null });
    host.routes['DELETE /1.0/images/aliases/busybox'] = () => ({});
    let built = '';
    const builders = {
      busybox: async (dir: string) => {
        built = join(dir, 'bb.tar.gz');
        await writeFile(built, 'content');
        return built;
      },
    };
    const { code, stdout } = await porthole('image build busybox --public', { builders });
    expect([code, stdout]).toEqual([0, 'Image imported with fingerprint: f00\n']);
    expect(host.received[0]).toMatchObject({ headers: { 'x-lxd-public': 'true' } });
    expect(host.received[0]?.body.toString()).toBe('content');
    expect(sent('POST')).toMatchObject({ name: 'busybox', target: 'f00' });
    await expect(readFile(built)).rejects.toThrow('ENOENT');
  });

  it('build of an image that the daemon has already only sets the alias', async () => {
    host.routes['POST /1.0/images'] = () => ({
      operation: finishedOperation({ err: 'Image with same fingerprint already exists' }),
    });
    host.routes['POST /1.0/images/aliases'] = () => ({ metadata: null });
    const fingerprint = createHash('sha256').update('busybox').digest('hex');
    const { code, stdout } = await porthole('image build busybox --alias small');
    expect([code, stdout]).toEqual([0, `Image imported with fingerprint: ${fingerprint}\n`]);
    expect(sent('POST')).toMatchObject({ name: 'small', target: fingerprint });
  });

  it('list shows the shortest alias and how many more there are', async () => {
    const aliases = [{ name: 'busybox/edge' }, { name: 'bb' }];
    host.routes['GET /1.0/images'] = () => ({
      metadata: [{ ...image, aliases, architecture: 'x86_64', public: true }],
    });
    expect((await porthole('image list -f csv -c lfps')).stdout).toBe('bb (1 more),abababababab,yes,1B\n');
    expect((await porthole('image list x -f csv')).stdout).toBe('');
    expect((await porthole('image list type=container -f csv -c t')).stdout).toBe('CONTAINER\n');
    expect((await porthole('image list type=virtual-machine -f csv -c t')).stdout).toBe('');
  });

  it('set-property keeps the others', async () => {
    host.routes[`GET /1.0/images/${FINGERPRINT}`] = () => ({
      metadata: { ...image, properties: { os: 'b' } },
    });
    host.routes[`PUT /1.0/images/${FINGERPRINT}`] = () => ({});
    await porthole('image set-property busybox release 12');
    expect(sent('PUT').properties).toEqual({ os: 'b', release: '12' });
  });

  it('unset-property also takes a property that is not set, as lxc does', async () => {
    host.routes[`GET /1.0/images/${FINGERPRINT}`] = () => ({
      metadata: { ...image, properties: { os: 'b' } },
    });
    host.routes[`PUT /1.0/images/${FINGERPRINT}`] = () => ({});
    expect((await porthole('image unset-property busybox release')).code).toBe(0);
    expect(sent('PUT').properties).toEqual({ os: 'b' });
  });
});

it('list prints its columns, and asks for live data only when it is shown', async () => {
  host.routes['GET /1.0/instances'] = () => ({
    metadata: [fakeInstance({ name: 'c10' }), fakeInstance({ name: 'c2' })],
  });
  expect((await porthole('list -f csv -c ns4')).stdout).toBe(
    'c2,RUNNING,10.0.0.2 (eth0)\nc10,RUNNING,10.0.0.2 (eth0)\n',
  );
  await porthole('list --fast');
  const [live, fast] = host.received.map(({ url }) => url);
  expect([live, fast]).toEqual(['/1.0/instances?recursion=2', '/1.0/instances?recursion=1']);
});

describe('the column RUNTIME of list', () => {
  const adopted = { 'volatile.adopted': '7:7:7' };
  const podman = { ...adopted, 'volatile.container.runtime': 'podman' };
  const listed = (configs: Readonly<Record<string, Record<string, string>>>) => {
    host.routes['GET /1.0/instances'] = () => ({
      metadata: Object.entries(configs).map(([name, config]) => fakeInstance({ name, config })),
    });
  };
  const headers = async (words: string) => (await porthole(words)).stdout.split('\n')[0]?.split(/\s{2,}/);
  const STOCK = ['NAME', 'STATE', 'IPV4', 'IPV6', 'TYPE', 'SNAPSHOTS'];

  it('is shown when another runtime runs one of the listed instances', async () => {
    listed({ own: {}, theirs: podman, pid: adopted });
    expect(await headers('list -f compact')).toEqual([...STOCK, 'RUNTIME']);
    expect((await porthole('list')).stdout).toMatch(/SNAPSHOTS \| +RUNTIME +\|\n/);
    expect(await headers('list -f compact own')).toEqual(STOCK);
    listed({ own: {} });
    expect(await headers('list -f compact')).toEqual(STOCK);
  });

  it('is shown in CSV, and beside chosen columns, only when it is chosen', async () => {
    listed({ own: {}, theirs: podman, pid: adopted });
    expect((await porthole('list -f csv theirs')).stdout).toBe(
      'theirs,RUNNING,10.0.0.2 (eth0),fd00::2 (eth0),CONTAINER,0\n',
    );
    expect((await porthole('list -f csv -c nr')).stdout).toBe('own,porthole\npid,other\ntheirs,podman\n');
    expect(await headers('list -f compact -c ns46tS')).toEqual(STOCK);
    expect(await headers('list -f compact --fast')).not.toContain('RUNTIME');
  });
});

it('info says how callers are identified', async () => {
  host.routes['GET /1.0'] = () => ({
    metadata: {
      config: {},
      api_extensions: [],
      api_version: '1.0',
      api_status: 'stable',
      environment: { server: 'porthole' },
      porthole: {
        ...{ version: '0.1.0', state_dir: '/s', identification: 'pidfd', fast_lane: 'on', lxcfs: 'on' },
        backups: { folder: '/s/backups', minutes: 60, count: 48, failure: null },
      },
    },
  });
  expect((await porthole('info')).stdout).toContain('Callers identified by: pidfd');
});

it('info of an instance shows its resources while it runs', async () => {
  const { stdout } = await porthole('info c1');
  expect(stdout).toContain('Status: RUNNING\n');
  expect(stdout).toContain('    Memory (current): 436.00KiB\n');
  expect(stdout).toContain('        inet:  10.0.0.2/24 (global)');
});

it('info of an adopted instance shows its container, without control characters', async () => {
  const container = {
    ...{ runtime: 'podman', id: 'ab12', name: 'we\x1bb', image: 'debian:12', digest: 'sha256:cd' },
    labels: JSON.stringify({ role: 'a\nb', '\x07': '' }),
  };
  const keys = Object.entries(container).map(([key, value]) => [`volatile.container.${key}`, value]);
  const config = { 'volatile.adopted': '7:7:7', ...Object.fromEntries(keys) };
  host.routes['GET /1.0/instances/theirs'] = () => ({ metadata: fakeInstance({ name: 'theirs', config }) });
  expect((await porthole('info theirs')).stdout).toContain(
    '\nContainer:\n  Runtime: podman\n  ID: ab12\n  Name: we?b\n  Image: debian:12\n  Digest: sha256:cd\n' +
      '  Labels:\n    role: a?b\n    ?: \n\nResources:\n',
  );
  host.routes['GET /1.0/instances/theirs'] = () => ({
    metadata: fakeInstance({ name: 'theirs', config: { 'volatile.adopted': '7:7:7' } }),
  });
  expect((await porthole('info theirs')).stdout).toContain(
    '\nContainer: of another runtime, adopted by its pid\n',
  );
  expect((await porthole('info c1')).stdout).not.toContain('Container:');
});

it('version works without a daemon', async () => {
  const { code, stdout } = await porthole('version --state-dir /nowhere');
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^Client version: \d.*\nServer version: unreachable\n$/),
  ]);
});

it('monitor prints one line per event, and fails when the daemon ends the stream', async () => {
  host.onSocket = (socket) => {
    const metadata = { action: 'instance-started', source: '/1.0/instances/c1', context: { n: 1 } };
    socket.send(JSON.stringify({ type: 'lifecycle', timestamp: 'T', metadata }));
    socket.close(1001);
  };
  const { code, stdout } = await porthole('monitor --type lifecycle --pretty');
  expect([code, stdout]).toEqual([1, 'T lifecycle instance-started /1.0/instances/c1 n=1\n']);
});

it('monitor leaves out log messages below the level, and nothing else', async () => {
  host.onSocket = (socket) => {
    for (const level of ['info', 'warn', 'error', 'new'])
      socket.send(JSON.stringify({ type: 'logging', timestamp: 'T', metadata: { level, message: 'm' } }));
    const metadata = { action: 'instance-started', source: '/1.0/instances/c1' };
    socket.send(JSON.stringify({ type: 'lifecycle', timestamp: 'T', metadata }));
    socket.close(1001);
  };
  const { stdout } = await porthole('monitor --pretty --loglevel warning');
  expect(stdout.split('\n')).toEqual([
    ...['T warn m', 'T error m', 'T new m'],
    ...['T lifecycle instance-started /1.0/instances/c1', ''],
  ]);
  const refused = await porthole('monitor --loglevel warning');
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('with pretty formatting')]);
});

it('query prints the whole answer with --raw', async () => {
  const { stdout } = await porthole('query --raw /1.0/instances/c1');
  expect(JSON.parse(stdout)).toMatchObject({ type: 'sync', metadata: { name: 'c1' } });
  const put = await porthole('query --raw --wait -X PUT -d {} /1.0/instances/c1');
  expect(JSON.parse(put.stdout)).toMatchObject({ type: 'async', metadata: { status: 'Success' } });
});

it('info has no resources to show: the daemon says so', async () => {
  host.routes['GET /1.0/resources'] = () => ({ error: [501, 'Porthole keeps no resources'] });
  const { code, stderr } = await porthole('info --resources');
  expect([code, stderr]).toEqual([1, 'Error: Porthole keeps no resources\n']);
});

it('query prints the metadata, and refuses data that is not JSON', async () => {
  expect(JSON.parse((await porthole('query /1.0/instances/c1')).stdout).name).toBe('c1');
  expect((await porthole('query -X POST -d {x /1.0/instances')).code).toBe(2);
});

it('every command has a description, and every command without subcommands has examples', async () => {
  const pending = [
    ...buildProgram(
      fakeIo().io,
      () => {
        throw new Error('no session here');
      },
      { busybox: async () => '' },
    ).commands,
  ];
  for (const command of pending) {
    pending.push(...command.commands);
    if (command.name().startsWith('__')) continue;
    expect([command.name(), command.description()]).not.toEqual([command.name(), '']);
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    if (command.commands.length === 0)
      expect([command.name(), help]).toEqual([command.name(), expect.stringContaining('Examples:')]);
  }
});
