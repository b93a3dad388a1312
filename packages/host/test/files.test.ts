import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { until } from './harness/api.ts';
import { mountsBelow, TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';
import { ask, type RawAnswer } from './harness/raw.ts';

let daemon: TestDaemon;
let operator: Operator;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox', '--public');
  await operator.launch('c1');
  await operator.create('c2');
  await operator.launch('c3', { config: { 'security.privileged': 'true' } });
});

afterAll(async () => {
  await daemon?.destroy();
  expect(mountsBelow(daemon.stateDir)).toEqual([]);
  expect(existsSync(daemon.stateDir)).toBe(false);
});

const files = (name: string, path: string) => `/1.0/instances/${name}/files?path=${encodeURIComponent(path)}`;
const get = (name: string, path: string) => ask(daemon, 'GET', files(name, path));
const post = (name: string, path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  ask(daemon, 'POST', files(name, path), body, headers);
const remove = (name: string, path: string) => ask(daemon, 'DELETE', files(name, path));
const inside = (script: string) => operator.sh('c1', script);

const FOLDER = { 'X-LXD-type': 'directory' };
const LINK = { 'X-LXD-type': 'symlink' };
const OWNED = { 'X-LXD-uid': '1000', 'X-LXD-gid': '1001', 'X-LXD-mode': '4750' };

function errorOf({ status, text }: RawAnswer) {
  return { status, error: (JSON.parse(text) as { error: string }).error };
}

/** Begins an upload: sends the first bytes and keeps the request open. */
async function openUpload(name: string, path: string): Promise<ClientRequest> {
  const outgoing = request({ socketPath: daemon.hostSocket, method: 'POST', path: files(name, path) });
  outgoing.on('error', () => {});
  outgoing.write('first ');
  await once(outgoing, 'socket');
  return outgoing;
}

async function ownerOf(name: string, path: string) {
  const outgoing = request({ socketPath: daemon.hostSocket, method: 'HEAD', path: files(name, path) }).end();
  const [{ headers }] = (await once(outgoing, 'response')) as [IncomingMessage];
  return [headers['x-lxd-uid'], headers['x-lxd-gid']];
}

async function statusOf(outgoing: ClientRequest): Promise<number | undefined> {
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

describe.each(['c1', 'c2', 'c3'])('the files of %s', (name) => {
  it('are written, appended to, read and deleted', async () => {
    expect((await post(name, '/tmp/f', 'hello', OWNED)).status).toBe(200);
    expect((await get(name, 'tmp/f')).text).toBe('hello');
    expect((await post(name, '/tmp/f', ' world', { 'X-LXD-write': 'append' })).status).toBe(200);
    expect((await get(name, '/tmp/f')).text).toBe('hello world');
    expect((await post(name, '/tmp/f', 'x')).status).toBe(200);
    expect((await get(name, '/tmp/f')).text).toBe('x');
    expect((await remove(name, '/tmp/f')).status).toBe(200);
    expect(errorOf(await get(name, '/tmp/f'))).toEqual({ status: 404, error: 'Not Found' });
    expect(errorOf(await post(name, '/none/f', 'x'))).toEqual({ status: 404, error: 'Not Found' });
  });

  it('may be directories and symbolic links', async () => {
    for (let times = 0; times < 2; times++) {
      expect((await post(name, '/srv/d', '', FOLDER)).status).toBe(200);
      expect((await post(name, '/srv/d/l', '../../etc', LINK)).status).toBe(200);
    }
    expect(errorOf(await post(name, '/srv/d/l', 'x', LINK))).toMatchObject({ error: 'it exists already' });
    expect((await get(name, '/srv/d/l')).text).toBe('../../etc');
    expect(JSON.parse((await get(name, '/srv/d')).text).metadata).toEqual(['l']);
    expect((await get(name, '/srv/d/l/passwd')).text).toBe((await get(name, '/etc/passwd')).text);
    expect(errorOf(await remove(name, '/srv/d'))).toEqual({ status: 400, error: 'directory not empty' });
    expect((await remove(name, '/srv/d/l')).status).toBe(200);
    expect((await remove(name, '/srv/d')).status).toBe(200);
    expect(errorOf(await remove(name, '/'))).toMatchObject({ error: 'the root directory stays' });
  });

  it('may be large and have any bytes', async () => {
    const content = randomBytes(24 * 1024 * 1024);
    expect((await post(name, '/tmp/big', content)).status).toBe(200);
    const outgoing = request({ socketPath: daemon.hostSocket, path: files(name, '/tmp/big') }).end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    expect(response.headers['content-length']).toBe(String(content.length));
    expect(hash(await buffer(response))).toBe(hash(content));
    await remove(name, '/tmp/big');
  });
});

it('new files get the requested owner and mode, existing ones keep theirs', async () => {
  await post('c1', '/tmp/new', 'x', OWNED);
  await post('c1', '/tmp/plain', 'x');
  await post('c1', '/tmp/folder', '', { ...FOLDER, ...OWNED });
  await post('c1', '/tmp/plain', 'y', OWNED);
  const shown = await inside("cd /tmp && stat -c '%n %u %g %a' new plain folder");
  expect(shown.split('\n')).toEqual(['new 1000 1001 4750', 'plain 0 0 644', 'folder 1000 1001 4750']);
});

describe.each(['c1', 'c2', 'c3'])('an owner that does not exist in %s', (name) => {
  const highest = name === 'c3' ? 4294967294 : 65535;

  it('is refused before anything is made there', async () => {
    await post(name, '/tmp/owned', '', FOLDER);
    const cases = [
      ['file', 'uid', 70_000],
      ['directory', 'gid', 65_536],
      ['symlink', 'uid', 4_294_967_294],
    ] as const;
    const refused = cases.slice(name === 'c3' ? 3 : 0).map(async ([type, kind, id]) => {
      const headers = { 'X-LXD-type': type, [`X-LXD-${kind}`]: String(id) };
      const answer = errorOf(await post(name, '/tmp/owned/x', 'x', headers));
      expect(answer).toEqual({ status: 400, error: `the instance has no ${kind} ${id}` });
    });
    await Promise.all(refused);
    for (const id of ['4294967295', '9999999999', '-1', '1.5', 'x']) {
      const answer = errorOf(await post(name, '/tmp/owned/x', 'x', { 'X-LXD-gid': id }));
      expect(answer).toEqual({ status: 400, error: `Invalid file gid: ${id}` });
    }
    expect(JSON.parse((await get(name, '/tmp/owned')).text).metadata).toEqual([]);
  });

  it('is no reason to refuse the content of a file that keeps its owner', async () => {
    const owner = { 'X-LXD-uid': String(highest), 'X-LXD-gid': String(highest) };
    expect((await post(name, '/tmp/owned/x', 'x', owner)).status).toBe(200);
    expect(await ownerOf(name, '/tmp/owned/x')).toEqual([String(highest), String(highest)]);
    expect((await post(name, '/tmp/owned/x', 'y', { 'X-LXD-uid': '70000' })).status).toBe(200);
    expect((await get(name, '/tmp/owned/x')).text).toBe('y');
  });

  it('is refused by file push too, with directories made on the way and in trees', async () => {
    const local = mkdtempSync('/var/tmp/porthole-test-push-');
    mkdirSync(join(local, 'tree/sub'), { recursive: true });
    for (const file of ['tree/a', 'tree/sub/b']) writeFileSync(join(local, file), 'x');
    chownSync(join(local, 'tree/sub/b'), 70_000, 0);
    const push = (...words: string[]) => daemon.porthole('file', 'push', ...words);
    const fails = name === 'c3' ? 0 : 1;
    expect((await push('-p', join(local, 'tree/sub/b'), `${name}/tmp/owned/p/q/b`)).code).toBe(fails);
    expect((await push('-p', '--uid', '70000', join(local, 'tree/a'), `${name}/tmp/owned/r/s/`)).code).toBe(
      fails,
    );
    expect((await push('-rp', join(local, 'tree'), `${name}/tmp/owned/t/u`)).code).toBe(fails);
    const left = JSON.parse((await get(name, '/tmp/owned')).text).metadata;
    expect(left).toEqual(name === 'c3' ? ['p', 'r', 't', 'x'] : ['x']);
    for (const id of ['-1', '4294967295']) {
      const { code, stderr } = await push('--uid', id, join(local, 'tree/a'), `${name}/tmp/owned/v`);
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining('It must be a whole number up to 4294967294'),
      ]);
    }
    rmSync(local, { recursive: true });
  });
});

it('no path leads out of the instance', async () => {
  await inside(
    'ln -s /../../../../../etc/hostname /tmp/h; ln -s /proc/1/root /tmp/r; ln -s /tmp/loop /tmp/loop',
  );
  const own = (await get('c1', '/etc/passwd')).text;
  expect(own).not.toBe(readFileSync('/etc/passwd', 'utf8'));
  for (const path of ['../../../../etc/passwd', '/tmp/../../../etc/passwd']) {
    expect((await get('c1', path)).text).toBe(own);
  }
  // A link in /proc is followed by its text, as any other link.
  expect((await get('c1', '/tmp/r/etc/passwd')).text).toBe(own);
  expect(errorOf(await get('c1', '/tmp/loop/x')).error).toBe('too many levels of symbolic links');
  expect(errorOf(await get('c1', `/${'a/'.repeat(3000)}`)).error).toBe('file name too long');
  expect(errorOf(await post('c1', '/proc/sys/kernel/core_pattern', 'x'))).toMatchObject({ status: 400 });
});

it('a path of another type than the request needs is refused, and its file is not touched', async () => {
  await inside('mkfifo /tmp/fifo');
  const refusals = [
    [await get('c1', '/tmp/fifo'), 'neither a file nor a directory nor a symbolic link'],
    [await post('c1', '/tmp/fifo', 'x'), 'not a regular file'],
    [await get('c1', '/dev/null'), 'neither a file nor a directory nor a symbolic link'],
    [await post('c1', '/dev/null', 'x'), 'not a regular file'],
    [await post('c1', '/tmp', 'x'), 'is a directory'],
    [await post('c1', '/etc/passwd', '', FOLDER), 'it exists and is no directory'],
    [await get('c1', '/etc/passwd/x'), 'not a directory'],
  ] as const;
  for (const [answer, error] of refusals) expect(errorOf(answer)).toEqual({ status: 400, error });
  expect((await remove('c1', '/tmp/fifo')).status).toBe(200);
});

it('a path that ends in a slash is that of a directory only', async () => {
  await inside('mkdir /tmp/d; touch /tmp/d/f; ln -s d /tmp/link; ln -s d/f /tmp/file-link');
  expect(JSON.parse((await get('c1', '/tmp/link/')).text)).toMatchObject({ metadata: ['f'] });
  const refusals = [
    [await get('c1', '/tmp/d/f/'), 'not a directory'],
    [await get('c1', '/tmp/file-link/'), 'not a directory'],
    [await post('c1', '/tmp/d/f/', 'x'), 'not a directory'],
    [await post('c1', '/tmp/d/new/', 'x'), 'is a directory'],
    [await post('c1', '/tmp/d/new/', 'x', LINK), 'is a directory'],
    [await remove('c1', '/tmp/d/f/'), 'not a directory'],
    [await remove('c1', '/tmp/link/'), 'not a directory'],
  ] as const;
  for (const [answer, error] of refusals) expect(errorOf(answer)).toEqual({ status: 400, error });
  expect((await post('c1', '/tmp/d/new/', '', FOLDER)).status).toBe(200);
  expect((await remove('c1', '/tmp/d/new/')).status).toBe(200);
  await inside('cd /tmp; [ "$(ls d)" = f ]; rm -r d link file-link');
});

it.each(['/proc', '/dev/null', '/dev/lxd'])('delete refuses a mount inside: %s', async (path) => {
  expect(errorOf(await remove('c1', path))).toMatchObject({
    error: expect.stringMatching('^device or resource busy'),
  });
  expect((await operator.exec('c1', ['grep', '-q', ` ${path} `, '/proc/self/mountinfo'])).code).toBe(0);
});

it('a directory with too many entries is not listed', async () => {
  await inside(
    'mkdir /run/many; mount -t tmpfs none /run/many; cd /run/many; seq 100001 | xargs -n 10000 touch',
  );
  expect(errorOf(await get('c1', '/run/many'))).toEqual({ status: 400, error: 'more than 100000 entries' });
  await inside('umount /run/many');
});

it('a guest that swaps directories for links during a transfer gets at no file of the host', async () => {
  const secret = mkdtempSync('/var/tmp/porthole-test-secret-');
  writeFileSync(join(secret, 'f'), "the host's");
  await inside(`mkdir -p ${secret} /tmp/real; echo -n guest > ${secret}/f; echo -n guest > /tmp/real/f`);
  const swapping = operator.exec('c1', [
    'sh',
    '-c',
    `cd /tmp; while [ ! -e over ]; do ln -sfn ${secret} a; ln -sfn /tmp/real a; rm a; mkdir a; rmdir a; done`,
  ]);
  const seen = new Set<string>();
  for (let round = 0; round < 25; round++) {
    const [read] = await Promise.all([get('c1', '/tmp/a/f'), post('c1', '/tmp/a/f', 'guest')]);
    seen.add(read.status === 200 ? read.text : 'refused');
  }
  await inside('touch /tmp/over');
  await swapping;
  expect([...seen]).toContain('guest');
  expect([...seen]).not.toContain("the host's");
  expect(readFileSync(join(secret, 'f'), 'utf8')).toBe("the host's");
  rmSync(secret, { recursive: true });
});

it('an instance has at most eight transfers at a time; one that breaks off does not count', async () => {
  const uploads = await Promise.all(Array.from({ length: 8 }, (_, n) => openUpload('c1', `/tmp/u${n}`)));
  const refused = async () => (await get('c1', '/etc/passwd')).status === 503;
  await until('eight transfers are as many as may be', refused);
  for (const upload of uploads) upload.destroy();
  await until('they are over', async () => !(await refused()));
});

it('a stopped instance starts only after its transfer has ended', async () => {
  const upload = await openUpload('c2', '/root/f');
  await until('the transfer goes on', async () => childrenOf('2').length > 0);
  let started = false;
  const starting = operator.state('c2', 'start').then(() => {
    started = true;
  });
  expect((await get('c1', '/etc/passwd')).status).toBe(200);
  expect(started).toBe(false);
  upload.end('last');
  expect(await statusOf(upload)).toBe(200);
  await starting;
  expect(await operator.sh('c2', 'cat /root/f')).toBe('first last');
  await operator.state('c2', 'stop', { force: true });
});

it('each transfer and each deletion causes an event', async () => {
  const watch = await operator.watch();
  await post('c1', '/tmp/told', 'x');
  await watch.next('instance-file-pushed c1');
  await get('c1', '/tmp/told');
  await watch.next('instance-file-retrieved c1');
  await remove('c1', '/tmp/told');
  await watch.next('instance-file-deleted c1');
  watch.close();
});

it('a daemon that is killed during a transfer leaves neither a process nor a mount', async () => {
  const upload = await openUpload('c2', '/root/g');
  await until('the transfer goes on', () => childrenOf('2').length > 0);
  await daemon.kill();
  upload.destroy();
  await until('the child is gone', () => childrenOf('2').length === 0);
  expect(mountsBelow(daemon.stateDir)).toEqual([]);
  await daemon.start();
  await operator.state('c2', 'start');
  expect((await get('c2', '/etc/passwd')).status).toBe(200);
});

/** Processes that have the overlay of a stopped instance on their command line. */
function childrenOf(id: string): string[] {
  const overlay = join(daemon.stateDir, 'instances', id, 'overlay', 'upper');
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(overlay);
    } catch {
      return false;
    }
  });
}
