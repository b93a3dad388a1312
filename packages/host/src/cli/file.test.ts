import { chmod, mkdir, mkdtemp, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import type { FakeHost } from '../client/testing/fake-host.ts';
import { startFakeHost } from '../client/testing/fake-host.ts';
import type { FakeIoOptions } from './testing/fake-io.ts';
import { runIn } from './testing/fake-io.ts';

/** The files of the instance c1, by path. */
type Tree = Record<string, { type: string; mode?: string; raw?: string; entries?: string[] }>;

let host: FakeHost;
let dir: string;
let tree: Tree;

beforeEach(async () => {
  dir = await mkdtemp('/var/tmp/porthole-files-');
  tree = {};
  const found = ({ url }: { url: string }) => {
    const it = tree[new URLSearchParams(url.split('?')[1]).get('path') ?? ''];
    if (!it) return { error: [404, 'Not Found'] as const };
    const headers = { 'X-LXD-type': it.type, 'X-LXD-mode': it.mode ?? '0644' };
    return it.entries ? { headers, metadata: it.entries } : { headers, raw: it.raw ?? '' };
  };
  const url = '/1.0/instances/c1/files';
  host = await startFakeHost({ [`GET ${url}`]: found, [`HEAD ${url}`]: found, [`POST ${url}`]: () => ({}) });
});
afterEach(async () => {
  await host.stop();
  await rm(dir, { recursive: true });
});

const porthole = (words: string, options?: FakeIoOptions) => runIn(host.dir, words.split(' '), options);

/** The files that were written, as `type path owner:group mode content`. */
const written = () =>
  host.received
    .filter(({ method }) => method === 'POST')
    .map(({ url, headers, body }) => {
      const of = (name: string) => headers[`x-lxd-${name}`] ?? '-';
      const path = new URLSearchParams(url.split('?')[1]).get('path');
      return `${of('type')} ${path} ${of('uid')}:${of('gid')} ${of('mode')} ${body}`.trim();
    });

describe('push', () => {
  const ids = `${process.getuid?.()}:${process.getgid?.()}`;

  it('sends a file with its owner and mode, or with those of the options, to the given target', async () => {
    await writeFile(join(dir, 'f'), 'content');
    await chmod(join(dir, 'f'), 0o640);
    tree['/srv'] = { type: 'directory', entries: [] };
    expect(await porthole(`file push ${dir}/f c1/etc/g`)).toEqual({ code: 0, stdout: '', stderr: '' });
    await porthole(`file push ${dir}/f c1/tmp/`);
    await porthole(`file push ${dir}/f c1/srv`);
    await porthole(`file push ${dir}/f c1/etc/g --uid 5 --gid 6 --mode 4755`);
    expect(written()).toEqual([
      `file /etc/g ${ids} 0640 content`,
      `file /tmp/f ${ids} 0640 content`,
      `file /srv/f ${ids} 0640 content`,
      'file /etc/g 5:6 04755 content',
    ]);
  });

  it('sends directories from the outside in, links as links', async () => {
    await mkdir(join(dir, 'd/sub'), { recursive: true });
    await writeFile(join(dir, 'd/sub/f'), 'x');
    await symlink('../nowhere', join(dir, 'd/sub/l'));
    await chmod(join(dir, 'd'), 0o700);
    await porthole(`file push -r ${dir}/d c1/srv`);
    const [outer, inner, ...rest] = written();
    expect([outer, inner]).toEqual([`directory /srv/d ${ids} 0700`, expect.stringContaining('/srv/d/sub ')]);
    expect(rest.sort()).toEqual([
      expect.stringMatching('^file /srv/d/sub/f .* x$'),
      expect.stringMatching(/^symlink \/srv\/d\/sub\/l \S+ - \.\.\/nowhere$/),
    ]);
  });

  it('makes the directories that are missing, and no others', async () => {
    await writeFile(join(dir, 'f'), 'x');
    tree['/srv'] = { type: 'directory', entries: [] };
    await porthole(`file push -p ${dir}/f c1/srv/a/b/`);
    expect(written()).toEqual([
      'directory /srv/a -:- 0755',
      'directory /srv/a/b -:- 0755',
      expect.stringContaining('file /srv/a/b/f '),
    ]);
  });

  it('removes the directories that it has made if the file is refused, and no others', async () => {
    await writeFile(join(dir, 'f'), 'x');
    tree['/srv'] = { type: 'directory', entries: [] };
    const deleted: (string | null)[] = [];
    host.routes['POST /1.0/instances/c1/files'] = ({ headers }) =>
      headers['x-lxd-type'] === 'file' ? { error: [400, 'the instance has no uid 7'] } : {};
    host.routes['DELETE /1.0/instances/c1/files'] = ({ url }) => {
      deleted.push(new URLSearchParams(url.split('?')[1]).get('path'));
      return {};
    };
    const { code, stderr } = await porthole(`file push -p ${dir}/f c1/srv/a/b/`);
    expect([code, stderr]).toEqual([1, 'Error: c1/srv/a/b/f: the instance has no uid 7\n']);
    expect(deleted).toEqual(['/srv/a/b', '/srv/a']);
  });

  it('sends standard input as a file that only root can read', async () => {
    await porthole('file push - c1/root/key', { stdin: 'secret' });
    expect(written()).toEqual(['file /root/key -:- 0600 secret']);
  });

  it('says which file was refused', async () => {
    host.routes['POST /1.0/instances/c1/files'] = () => ({ error: [404, 'Not Found'] });
    const { code, stderr } = await porthole('file push - c1/none/f', { stdin: '' });
    expect([code, stderr]).toEqual([1, 'Error: c1/none/f: Not Found\n']);
  });
});

describe('pull', () => {
  it('saves a file with its mode, without the bits that would run it as another user', async () => {
    tree['/bin/su'] = { type: 'file', mode: '06751', raw: 'su' };
    expect(await porthole(`file pull c1/bin/su ${dir}`)).toEqual({ code: 0, stdout: '', stderr: '' });
    const facts = await stat(join(dir, 'su'));
    expect([await readFile(join(dir, 'su'), 'utf8'), facts.mode & 0o7777]).toEqual(['su', 0o751]);
  });

  it('saves directories, and makes the one to save them in', async () => {
    tree['/srv'] = { type: 'directory', mode: '0750', entries: ['f', 'l'] };
    tree['/srv/f'] = { type: 'file', raw: 'x' };
    tree['/srv/l'] = { type: 'symlink', raw: 'f' };
    for (let times = 0; times < 2; times++) await porthole(`file pull -r c1/srv ${dir}/a/b`);
    expect(await readFile(join(dir, 'a/b/srv/f'), 'utf8')).toBe('x');
    expect(await readlink(join(dir, 'a/b/srv/l'))).toBe('f');
    expect((await stat(join(dir, 'a/b/srv'))).mode & 0o777).toBe(0o750);
  });

  it('saves a single file under the name of the target, also with --recursive', async () => {
    tree['/etc/f'] = { type: 'file', raw: 'content' };
    expect((await porthole(`file pull -r c1/etc/f ${dir}/new`)).stderr).toBe('');
    expect(await readFile(join(dir, 'new'), 'utf8')).toBe('content');
  });

  it('makes no directory for what is not there', async () => {
    expect((await porthole(`file pull -r c1/none ${dir}/new`)).code).toBe(1);
    await expect(stat(join(dir, 'new'))).rejects.toThrow('ENOENT');
  });

  it('follows links to standard output', async () => {
    tree['/etc/os-release'] = { type: 'symlink', raw: '../usr/os' };
    tree['/etc/../usr/os'] = { type: 'symlink', raw: '/usr/os' };
    tree['/usr/os'] = { type: 'file', raw: 'Debian' };
    tree['/loop'] = { type: 'symlink', raw: '/loop' };
    expect((await porthole('file pull c1/etc/os-release -')).stdout).toBe('Debian');
    expect((await porthole('file pull c1/loop -')).stderr).toContain('leads through too many links');
  });

  it.each(['f', 'd'])('does not follow a link from an earlier pull: %s', async (name) => {
    await mkdir(join(dir, 'outside'));
    await writeFile(join(dir, 'outside/f'), "the host's");
    tree['/t'] = { type: 'directory', entries: [name], mode: '0755' };
    tree[`/t/${name}`] = { type: 'symlink', raw: join(dir, 'outside', name === 'f' ? 'f' : '') };
    expect((await porthole(`file pull -r c1/t ${dir}`)).code).toBe(0);
    tree['/t/f'] = { type: 'file', raw: "the guest's" };
    tree['/t/d'] = { type: 'directory', entries: ['f'], mode: '0755' };
    tree['/t/d/f'] = tree['/t/f'];
    expect((await porthole(`file pull -r c1/t ${dir}`)).code).toBe(1);
    expect(await readFile(join(dir, 'outside/f'), 'utf8')).toBe("the host's");
  });

  it.each(['../f', '..', 'a/b', ''])('saves nothing under the name "%s"', async (name) => {
    tree['/t'] = { type: 'directory', entries: [name] };
    const { code, stderr } = await porthole(`file pull -r c1/t ${dir}`);
    expect([code, stderr]).toEqual([1, `Error: c1/t has an entry that cannot be saved: "${name}"\n`]);
  });
});

describe('edit', () => {
  it('writes the text from the editor, and nothing when it is unchanged', async () => {
    tree['/etc/f'] = { type: 'file', raw: 'old' };
    await porthole('file edit c1/etc/f', { env: { EDITOR: 'true' } });
    expect(written()).toEqual([]);
    await porthole('file edit c1/etc/f', { env: { EDITOR: 'sed -i s/old/new/' } });
    expect(written()).toEqual(['file /etc/f -:- - new']);
  });

  it('replaces the file with standard input', async () => {
    await porthole('file edit c1/etc/f', { stdin: 'piped' });
    expect(written()).toEqual(['file /etc/f -:- - piped']);
  });
});

it('wrong usage is reported as such', async () => {
  tree['/d'] = { type: 'directory', entries: [] };
  const wrong = [
    `push ${dir} c1/d`,
    'push c1/d',
    'push - c1/d/',
    'push f c1',
    'push -r --mode 600 f c1/d/',
    'push --mode 9 f c1/f',
    'push --uid -1 f c1/f',
    'push --gid 4294967295 f c1/f',
    'pull c1/d',
    'pull c1/d x',
    'pull -r c1/d -',
    'pull c1 x',
    'delete',
    'delete c1',
    'edit /f',
  ];
  for (const words of wrong) {
    const { code, stdout, stderr } = await porthole(`file ${words}`, { stdin: '' });
    expect([words, code, stdout, stderr]).toEqual([words, 2, '', expect.stringMatching(/^Error: .*\n/)]);
  }
});
