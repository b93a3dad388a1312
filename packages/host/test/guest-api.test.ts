import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../src/process/run.ts';
import { type Asker, ask, hostApi } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';

let daemon: TestDaemon;
let c1: { init: number };
let c2: { init: number };
let fingerprint: string;

beforeAll(async () => {
  daemon = await TestDaemon.start(['--server-name', 'myhost']);
  const built = await daemon.must('image', 'build', 'busybox');
  fingerprint = /[0-9a-f]{64}/.exec(built)?.[0] ?? '';
  const nic = ['-d', 'eth0,type=nic', '-d', 'eth0,nictype=p2p'];
  await daemon.must('launch', 'busybox', 'c1', '-c', 'user.foo=bar', ...nic);
  await daemon.must('launch', 'busybox', 'c2', '-c', 'user.foo=other');
  c1 = { init: await daemon.initPid('c1') };
  c2 = { init: await daemon.initPid('c2') };
});
afterAll(() => daemon?.destroy());

const set = (name: string, ...pairs: string[]) => daemon.must('config', 'set', name, ...pairs);
const get = (target: string, ...args: string[]) => ask(daemon, c1, target, ...args);

it('the guest API uses the fast lane unless the settings turn it off', async () => {
  const status = process.env['PORTHOLE_FAST_LANE'] === 'off' ? 'off (by the settings)' : 'on';
  expect(await daemon.must('info')).toContain(`Fast lane: ${status}\n`);
});

describe('inside an instance', () => {
  it('GET / lists the only version', async () => {
    const { status, body, headers } = await get('/');
    expect([status, body]).toEqual([200, '["/1.0"]\n']);
    expect([...headers.keys()]).toEqual(['content-type', 'date', 'content-length']);
    expect(headers.get('content-type')).toBe('application/json');
  });

  it('GET /1.0 gives state, host name and type', async () => {
    expect((await get('/1.0')).body).toBe(
      '{"state":"Started","api_version":"1.0","instance_type":"container","location":"myhost","auth":"untrusted","supported_storage_drivers":[],"api_extensions":["event_since","config_etag","config_wait","guest_config"]}\n',
    );
  });

  it('PATCH /1.0 sets the state to Ready and back to Started, with an empty answer', async () => {
    const status = async () => (await hostApi(daemon).get<{ status: string }>('/1.0/instances/c1')).status;
    const ready = await get('/1.0', '-X', 'PATCH', '-d', '{"state":"Ready"}');
    expect([ready.status, ready.body, ready.headers.get('content-length')]).toEqual([200, '', '0']);
    expect(JSON.parse((await get('/1.0')).body).state).toBe('Ready');
    expect(await status()).toBe('Ready');
    await get('/1.0', '-X', 'PATCH', '-d', '{"state":"Started"}');
    expect(await status()).toBe('Running');
  });

  it.each([
    ['', 'Invalid request body: EOF\n'],
    ['{"state":"ready"}', 'Invalid state "ready"\n'],
    ['{}', 'Invalid state ""\n'],
    ['{"state":null}', 'Invalid state ""\n'],
  ])('PATCH /1.0 refuses %j and changes nothing', async (body, text) => {
    const answer = await get('/1.0', '-X', 'PATCH', '-d', body);
    expect([answer.status, answer.body]).toEqual([400, text]);
    expect(JSON.parse((await get('/1.0')).body).state).toBe('Started');
  });

  it('GET /1.0/config lists unescaped names; each can be read, and an unset key cannot', async () => {
    const odd = ['user.with space', 'user.sl/ash', 'user.q?x', 'user.pct%41', 'user.üni', 'user.#'];
    await set('c1', ...odd.map((key) => `${key}=value of ${key}`));
    const listed = JSON.parse((await get('/1.0/config')).body) as string[];
    expect(listed).toEqual([...listed].sort());
    expect(listed).toEqual(expect.arrayContaining(odd.map((key) => `/1.0/config/${key}`)));
    for (const key of odd) {
      const answer = await get(`/1.0/config/${encodeURIComponent(key)}`);
      expect([answer.status, answer.body]).toEqual([200, `value of ${key}`]);
    }
    await daemon.must('config', 'unset', 'c1', 'user.sl/ash');
    expect((await get('/1.0/config/user.sl%2Fash')).status).toBe(404);
  });

  it.each([
    ['/1.0/config/user.nothing', 404, 'Not Found\n'],
    ['/1.0/config/user.', 404, 'Not Found\n'],
    ['/1.0/config/user.%00', 404, 'Not Found\n'],
    ['/1.0/config/user', 403, 'Forbidden\n'],
    ['/1.0/config/security.devlxd', 403, 'Forbidden\n'],
    ['/1.0/config/volatile.uuid', 403, 'Forbidden\n'],
    ['/1.0/', 404, '404 page not found\n'],
    ['/1.0/nope', 404, '404 page not found\n'],
    ['/1.0/config/', 404, '404 page not found\n'],
    ['/1.0/config/user.a/b', 404, '404 page not found\n'],
    ['/1.0/images', 404, '404 page not found\n'],
    ['/1.0/instances/c2', 404, '404 page not found\n'],
  ])('GET %s is refused with %i', async (target, status, body) => {
    const answer = await get(target);
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('redirects an unclean path to the clean one', async () => {
    for (const target of ['//1.0', '/1.0/./config', '/1.0/config/../devices']) {
      const { status, headers, body } = await get(target);
      expect([status, body]).toEqual([301, '']);
      expect(headers.get('location')).toMatch(/^\/1\.0/);
    }
  });

  it('refuses methods that a path does not have, and unknown methods', async () => {
    const post = await get('/1.0/config', '-X', 'POST');
    expect([post.status, post.body]).toEqual([501, 'Not Implemented\n']);
    const foo = await get('/1.0/config', '-X', 'FOO');
    expect([foo.status, foo.body]).toEqual([404, 'Method "FOO" not found\n']);
    const head = await get('/1.0/config/user.foo', '-I');
    expect([head.status, head.headers.get('content-length'), head.body]).toEqual([200, '3', '']);
  });

  it('GET /1.0/devices takes the hwaddr of a nic from its volatile key, and adds nothing else', async () => {
    const hwaddr = (await daemon.must('config', 'get', 'c1', 'volatile.eth0.hwaddr')).trim();
    expect(hwaddr).toMatch(/^00:16:3e(:[0-9a-f]{2}){3}$/);
    expect(JSON.parse((await get('/1.0/devices')).body)).toEqual({
      eth0: { hwaddr, nictype: 'p2p', type: 'nic' },
      root: { path: '/', pool: 'default', type: 'disk' },
    });
    const address = await daemon.inside('c1', 'cat', '/sys/class/net/eth0/address');
    expect(address.stdout.trim()).toBe(hwaddr);
  });

  it('GET /1.0/meta-data has instance-id and name, and user.meta-data as it is', async () => {
    const id = (await daemon.must('config', 'get', 'c1', 'volatile.cloud-init.instance-id')).trim();
    const head = `#cloud-config\ninstance-id: ${id}\nlocal-hostname: c1\n`;
    expect((await get('/1.0/meta-data')).body).toBe(head);
    await set('c1', 'user.meta-data=a: b');
    expect((await get('/1.0/meta-data')).body).toBe(`${head}a: b`);
    await daemon.must('config', 'unset', 'c1', 'user.meta-data');
  });

  it('GET /1.0/ubuntu-pro is off', async () => {
    expect((await get('/1.0/ubuntu-pro')).body).toBe('{"guest_attach":"off"}\n');
  });

  it('gives a new instance-id when cloud-init data change, and keeps it when other keys do', async () => {
    const id = async () =>
      (await daemon.must('config', 'get', 'c1', 'volatile.cloud-init.instance-id')).trim();
    const before = await id();
    await set('c1', 'user.other=x');
    expect(await id()).toBe(before);
    await set('c1', 'cloud-init.user-data=#cloud-config');
    expect(await id()).not.toBe(before);
  });
});

describe('images', () => {
  const url = (name: string) => `/1.0/images/${name}/export`;
  const json = (status: number, error: string) =>
    `{"type":"error","status":"","status_code":0,"operation":"","error_code":${status},"error":"${error}","metadata":null}\n\n`;

  it('are forbidden until security.devlxd.images is true', async () => {
    const answer = await get(url(fingerprint));
    expect([answer.status, answer.body]).toEqual([403, json(403, 'Forbidden')]);
    expect(answer.headers.get('content-type')).toBe('application/json');
  });

  it('are not found when they are private, unknown, or named by anything but the whole fingerprint', async () => {
    await set('c1', 'security.devlxd.images=true');
    const names = [
      fingerprint,
      'f'.repeat(64),
      fingerprint.slice(0, 12),
      'busybox',
      fingerprint.toUpperCase(),
      '%25',
    ];
    for (const name of names) {
      const answer = await get(url(name));
      expect([name, answer.status, answer.body]).toEqual([name, 404, json(404, 'Not Found')]);
    }
  });

  it('are exported whole and in ranges when public or cached', async () => {
    for (const way of ['public', 'cached']) {
      const api = hostApi(daemon);
      await api.change('PATCH', `/1.0/images/${fingerprint}`, {
        json: { public: false, cached: false, [way]: true },
      });
      const hash = await daemon.inside('c1', 'sh', '-c', `devlxd ${url(fingerprint)} | sha256sum`);
      expect(hash.stdout.split(' ')[0]).toBe(fingerprint);
    }
    const range = await get(url(fingerprint), '-H', 'Range: bytes=0-1', '-o', '/dev/null', '-D', '-');
    expect([range.status, range.headers.get('content-length')]).toEqual([206, '2']);
    expect((await get(`${url(fingerprint)}?project=other`)).status).toBe(404);
    const beyond = await get(url(fingerprint), '-H', 'Range: bytes=999999999-');
    expect([beyond.status, beyond.body]).toEqual([416, 'invalid range: failed to overlap\n']);
  });
});

describe('a caller', () => {
  it('gets data of its own instance only', async () => {
    expect((await ask(daemon, c2, '/1.0/config/user.foo')).body).toBe('other');
    expect((await get('/1.0/config/user.foo')).body).toBe('bar');
  });

  it.each<[string, () => Asker, number, string]>([
    [
      'is refused when not root inside',
      () => ({ ...c1, uid: 1000 }),
      401,
      'Access denied for non-root user\n',
    ],
    ['is refused on the host, also as root', () => 'host', 500, 'Process ID not found in container\n'],
  ])('%s', async (_title, asker, status, body) => {
    const answer = await ask(daemon, asker(), '/1.0');
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(answer.headers.has('www-authenticate')).toBe(false);
  });

  it('gets 404 for an unknown path before the daemon identifies it', async () => {
    expect((await ask(daemon, 'host', '/nope')).status).toBe(404);
  });

  it('cannot pose as another instance with its process title', async () => {
    const title = `[lxc monitor] ${daemon.stateDir}/instances c2`;
    const script = `exec -a "$0" curl -s --unix-socket "$1" http://lxd/1.0/config/user.foo`;
    const inside = ['nsenter', '-t', String(c1.init), '-U', '-p', '-S', '0', '-G', '0', '--'];
    const titled = await run('env', [...inside, 'bash', '-c', script, title, daemon.guestSocket]);
    expect(titled.stdout).toBe('bar');
    const onHost = await run('bash', ['-c', script, title, daemon.guestSocket]);
    expect(onHost.stdout).toBe('Process ID not found in container\n');
  });

  it('belongs to its instance also in a nested PID namespace', async () => {
    const answer = await daemon.inside('c1', 'unshare', '-p', '-f', 'devlxd', '/1.0/config/user.foo');
    expect(answer.stdout).toBe('bar');
  });
});

describe('security.devlxd', () => {
  it('mounts the real socket read-only, and exactly once after any sequence of changes', async () => {
    const mounts = async () => {
      const { stdout } = await daemon.inside('c1', 'grep', '-c', ' /dev/lxd ', '/proc/self/mountinfo');
      return Number(stdout);
    };
    for (const value of ['true', 'yes', 'on', 'TRUE']) await set('c1', `security.devlxd=${value}`);
    await daemon.must('config', 'unset', 'c1', 'security.devlxd');
    expect(await mounts()).toBe(1);
    expect((await daemon.inside('c1', 'touch', '/dev/lxd/x')).stderr).toMatch(/Read-only/);
    await set('c1', 'security.devlxd=false');
    expect(await mounts()).toBe(0);
    expect((await daemon.inside('c1', 'ls', '/dev/lxd')).code).not.toBe(0);
    await set('c1', 'security.devlxd=true');
    expect(await mounts()).toBe(1);
  });

  it('refuses every path at once when false, also through a socket that can still be reached', async () => {
    await set('c1', 'security.devlxd=false');
    for (const target of ['/', '/1.0', '/1.0/config', '/1.0/devices', '/1.0/meta-data', '/1.0/events']) {
      const answer = await get(target);
      expect([target, answer.status, answer.body]).toEqual([target, 403, 'Forbidden\n']);
    }
    await set('c1', 'security.devlxd=true');
    expect((await get('/1.0')).status).toBe(200);
  });

  it('mounts the folder again after the instance itself has unmounted it', async () => {
    expect(await daemon.inside('c1', 'umount', '/dev/lxd')).toMatchObject({ stderr: '', code: 0 });
    await set('c1', 'security.devlxd=false');
    await set('c1', 'security.devlxd=true');
    expect((await daemon.inside('c1', 'devlxd', '/')).stdout).toBe('["/1.0"]\n');
  });

  it('leaves no trace inside when it is false at the start', async () => {
    await daemon.must('launch', 'busybox', 'shut', '-c', 'security.devlxd=false');
    expect((await daemon.inside('shut', 'ls', '/dev/lxd')).code).not.toBe(0);
    await daemon.must('config', 'unset', 'shut', 'security.devlxd');
    expect((await daemon.inside('shut', 'devlxd', '/')).stdout).toBe('["/1.0"]\n');
    await daemon.must('delete', '-f', 'shut');
  });

  it('mounts one folder for all instances, which a privileged one cannot change', async () => {
    await daemon.must('launch', 'busybox', 'priv', '-c', 'security.privileged=true', '-c', 'user.foo=priv');
    for (const command of ['mv /dev/lxd/sock /dev/lxd/x', 'rm /dev/lxd/sock', 'touch /dev/lxd/x']) {
      expect((await daemon.inside('priv', 'sh', '-c', command)).code).not.toBe(0);
    }
    expect((await daemon.inside('priv', 'devlxd', '/1.0/config/user.foo')).stdout).toBe('priv');
    expect((await get('/')).status).toBe(200);
    await daemon.must('delete', '-f', 'priv');
  });
});

describe('a restart of the daemon', () => {
  it('puts a new socket into the same folder, and running instances reach it as before', async () => {
    await get('/1.0', '-X', 'PATCH', '-d', '{"state":"Ready"}');
    for (const end of ['SIGTERM', 'SIGKILL'] as const) {
      const before = boundNs(daemon);
      await daemon.stop(end);
      await daemon.start();
      expect(boundNs(daemon)).toBeGreaterThan(before);
      expect((await daemon.inside('c1', 'devlxd', '/1.0/config/user.foo')).stdout).toBe('bar');
      expect(await daemon.initPid('c1')).toBe(c1.init);
    }
    expect(JSON.parse((await get('/1.0')).body).state).toBe('Started');
  });
});

/** When its socket was bound. An inode number would not do, because it may be reused at once. */
function boundNs({ guestSocket }: TestDaemon): bigint {
  return statSync(guestSocket, { bigint: true }).birthtimeNs;
}
