import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import {
  device,
  type Entry,
  file,
  METADATA,
  sha256,
  symlink,
  tarOf,
  unified,
} from '../src/images/testing/archives.ts';
import type { ImageJson } from '../src/wire/image.ts';
import { ask as askGuest, until } from './harness/api.ts';
import { mountsBelow, TestDaemon } from './harness/daemon.ts';
import { type ImageFiles, imageFiles } from './harness/image-files.ts';
import { Operator } from './harness/operator.ts';
import { ask, refusalOf } from './harness/raw.ts';

const MIB = 1024 * 1024;
const UPLOADED_MAX = 32 * MIB;
const UNPACKED_MAX = 64 * MIB;

let files: ImageFiles;
let daemon: TestDaemon;
let operator: Operator;

beforeAll(async () => {
  files = await imageFiles();
  daemon = await TestDaemon.start([
    `--image-bytes=${UPLOADED_MAX}`,
    `--image-unpacked-bytes=${UNPACKED_MAX}`,
  ]);
  operator = new Operator(daemon);
});
afterAll(async () => {
  await daemon?.destroy();
  await files?.[Symbol.asyncDispose]();
  expect(mountsBelow(daemon.stateDir)).toEqual([]);
  expect(existsSync(daemon.stateDir)).toBe(false);
});

/** All that an import could leave: files, also incomplete ones, records and aliases. */
async function everything() {
  return {
    folders: readdirSync(join(daemon.stateDir, 'images')).sort(),
    images: await operator.client.get('/1.0/images?recursion=1'),
    aliases: await operator.client.get('/1.0/images/aliases?recursion=1'),
  };
}

const fingerprintOf = (...paths: string[]) => sha256(...paths.map((path) => readFileSync(path)));

const imageOf = (fingerprint: string) => operator.client.get<ImageJson>(`/1.0/images/${fingerprint}`);

/** Imports through the command line. @returns the fingerprint that it prints */
async function importFiles(...words: string[]): Promise<string> {
  const printed = await daemon.must('image', 'import', ...words);
  return /^Image imported with fingerprint: ([0-9a-f]{64})\n$/.exec(printed)?.[1] ?? printed;
}

async function launchAndDrop(alias: string): Promise<string> {
  await operator.launch('i1', { source: { type: 'image', alias } });
  const told = await operator.sh('i1', 'id -u; hostname; tr "\\0" " " < /proc/1/cmdline; echo; ls /dev/lxd');
  await operator.state('i1', 'stop', { force: true });
  await operator.delete('i1');
  return told;
}

describe('image import', () => {
  it.each(['plain', 'gzip', 'xz', 'zstd'] as const)(
    'accepts a unified image (%s), and an instance of it runs',
    async (format) => {
      const fingerprint = await importFiles(files[format], '--alias', format, 'release=7');
      expect(fingerprint).toBe(fingerprintOf(files[format]));
      expect(await imageOf(fingerprint)).toMatchObject({
        size: statSync(files[format]).size,
        filename: files[format].slice(files.folder.length + 1),
        properties: { release: '7' },
        aliases: [{ name: format, description: '' }],
        architecture: 'x86_64',
        public: false,
        cached: false,
      });
      expect(await launchAndDrop(format)).toMatch(/^0\ni1\n.*init \nsock$/);
    },
  );

  it('accepts a split image with a squashfs root, and an instance of it runs', async () => {
    const fingerprint = await importFiles(files.metadata, files.rootfs, '--alias', 'split', '--public');
    expect(fingerprint).toBe(fingerprintOf(files.metadata, files.rootfs));
    expect(await imageOf(fingerprint)).toMatchObject({ properties: { os: 'tiny' }, public: true });
    expect(await launchAndDrop('split')).toMatch(/^0\ni1\n.*init \nsock$/);
  });

  it('refuses the same image again, also when several are uploaded at once', async () => {
    const before = await everything();
    const again = await daemon.porthole('image', 'import', files.gzip);
    expect(again).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'Error: Image with same fingerprint already exists\n',
    });
    expect(await everything()).toEqual(before);
    const body = await tarOf(unified(file('rootfs/many')));
    const ends = await Promise.all(Array.from({ length: 4 }, () => upload(body)));
    expect(ends.map(({ error }) => error).sort()).toEqual([
      '',
      ...Array(3).fill('Image with same fingerprint already exists'),
    ]);
    await operator.client.change('DELETE', `/1.0/images/${sha256(body)}`);
    expect(await everything()).toEqual(before);
  });
});

/** Uploads bytes as one file. @returns how its operation ended */
async function upload(body: Buffer, headers: Record<string, string> = {}) {
  return refusalOf(daemon, await ask(daemon, 'POST', '/1.0/images', body, headers));
}

describe('images on the command line', () => {
  let gzip: string;
  beforeAll(() => {
    gzip = fingerprintOf(files.gzip);
  });

  it('are listed, as a table and for programs', async () => {
    const table = await daemon.must('image', 'list');
    for (const alias of ['plain', 'gzip', 'xz', 'zstd', 'split']) expect(table).toContain(alias);
    const listed = JSON.parse(await daemon.must('image', 'list', '-f', 'json')) as ImageJson[];
    expect(listed).toHaveLength(5);
    expect(listed.find(({ fingerprint }) => fingerprint === gzip)).toMatchObject({ type: 'container' });
    expect(await daemon.must('image', 'list', 'gzip', '-f', 'csv')).toContain(gzip.slice(0, 12));
  });

  it('are shown by fingerprint, by a prefix of it and by alias', async () => {
    for (const name of [gzip, gzip.slice(0, 10), 'gzip']) {
      expect(await daemon.must('image', 'info', name)).toContain(`Fingerprint: ${gzip}`);
    }
    expect((await daemon.porthole('image', 'info', 'nowhere')).stderr).toMatch(
      /^Error: Image not found: "nowhere"\. .*\n$/,
    );
  });

  it('have aliases that can be created, renamed and deleted', async () => {
    await daemon.must('image', 'alias', 'create', 'debian/12', gzip.slice(0, 20));
    await daemon.must('image', 'alias', 'rename', 'debian/12', 'debian/13');
    expect(await daemon.must('image', 'alias', 'list', '-f', 'csv')).toMatch(/^debian\/13,/m);
    expect((await daemon.porthole('image', 'alias', 'create', 'debian/13', gzip)).stderr).toBe(
      'Error: Alias "debian/13" already exists\n',
    );
    await daemon.must('image', 'alias', 'delete', 'debian/13');
    expect((await daemon.porthole('image', 'alias', 'delete', 'debian/13')).stderr).toBe(
      'Error: Image alias not found\n',
    );
  });

  it('have properties that can be set, read and unset', async () => {
    await daemon.must('image', 'set-property', 'gzip', 'note', 'two words');
    expect(await daemon.must('image', 'get-property', 'gzip', 'note')).toBe('two words\n');
    expect(await daemon.must('image', 'show', 'gzip')).toContain('note: two words');
    await daemon.must('image', 'unset-property', 'gzip', 'note');
    expect((await imageOf(gzip)).properties).not.toHaveProperty('note');
  });

  it('are exported byte for byte', async () => {
    const to = join(files.folder, 'exported');
    await daemon.must('image', 'export', 'gzip', to);
    const [name = ''] = readdirSync(files.folder).filter((each) => each.startsWith('exported'));
    expect(fingerprintOf(join(files.folder, name))).toBe(gzip);
  });

  it('are exported as two files when they are split, or not at all', async () => {
    const to = join(files.folder, 'parts');
    await daemon.must('image', 'export', 'split', to);
    expect(readFileSync(to)).toEqual(readFileSync(files.metadata));
    expect(readFileSync(`${to}.root`)).toEqual(readFileSync(files.rootfs));
    rmSync(to);
    const taken = await daemon.porthole('image', 'export', 'split', to);
    expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining('exists already')]);
    expect([existsSync(to), existsSync(`${to}.root`)]).toEqual([false, true]);
    const piped = await daemon.porthole('image', 'export', 'split', '-');
    expect([piped.code, piped.stdout]).toEqual([2, '']);
    expect(piped.stderr).toMatch('The image has two files: give a name for them');
  });

  it('can be downloaded by an instance only when they are public or cached', async () => {
    const source = { type: 'image', alias: 'gzip' };
    await operator.launch('i1', { source, config: { 'security.devlxd.images': 'true' } });
    const init = await operator.pid('i1');
    const fetch = () =>
      askGuest(daemon, { init }, `/1.0/images/${gzip}/export`, '-o', '/dev/null', '-D', '-');
    expect((await fetch()).status).toBe(404);
    await daemon.must('image', 'set-cached', 'gzip', 'true');
    expect((await fetch()).status).toBe(200);
    await daemon.must('image', 'set-cached', 'gzip', 'false');
    expect((await fetch()).status).toBe(404);
    await operator.client.change('PATCH', `/1.0/images/${gzip}`, { json: { public: true } });
    expect((await fetch()).status).toBe(200);
    await operator.state('i1', 'stop', { force: true });
    await operator.delete('i1');
  });
});

describe('a change of an image', () => {
  it('is not undone when an instance is created from it meanwhile', async () => {
    const body = await tarOf(unified(file('rootfs/blob', Buffer.alloc(30 * MIB))));
    await upload(gzipSync(body, { level: 1 }));
    const fingerprint = sha256(gzipSync(body, { level: 1 }));
    const source = { type: 'image', fingerprint };
    const made = operator.client.begin('POST', '/1.0/instances', { json: { name: 'i1', source } });
    const operation = (await made)!;
    await operator.client.change('PATCH', `/1.0/images/${fingerprint}`, { json: { public: true } });
    expect(await operator.client.wait(operation)).toMatchObject({ status: 'Success' });
    expect(await imageOf(fingerprint)).toMatchObject({ public: true });
    await operator.delete('i1');
    await operator.client.change('DELETE', `/1.0/images/${fingerprint}`);
  });
});

const bomb = (bytes: number) => tarOf(unified(file('rootfs/zeros', Buffer.alloc(bytes))));

const hole = (size: string) =>
  file('rootfs/hole', '', { pax: { 'GNU.sparse.size': size, 'GNU.sparse.map': '' } });

const DAMAGED = 'The archive is damaged or incomplete: ';

const LINK_OUT: readonly Entry[] = [symlink('rootfs/out', '/etc'), file('rootfs/out/passwd', 'root::0:0')];

describe('a hostile or broken upload is refused and leaves nothing:', () => {
  it.each<[what: string, error: string, body: () => Promise<Buffer>, more?: Record<string, string>]>([
    [
      'a name with ..',
      'Invalid archive: a name with "..": "rootfs/../../../etc/cron.d/x"',
      () => tarOf(unified(file('rootfs/../../../etc/cron.d/x'))),
    ],
    [
      'an absolute name with ..',
      'Invalid archive: a name with "..": "/rootfs/../../etc/cron.d/x"',
      () => tarOf(unified(file('/rootfs/../../etc/cron.d/x'))),
    ],
    [
      'a file through an absolute link',
      'Invalid archive: "rootfs/out/passwd" is below "rootfs/out", which is no directory',
      () => tarOf(unified(...LINK_OUT)),
    ],
    [
      'a link in place of the root',
      'Invalid archive: "rootfs" must be a directory',
      () => tarOf([file('metadata.yaml', METADATA), symlink('rootfs', '/')]),
    ],
    [
      'a disk',
      'Invalid archive: "rootfs/dev/sda" is a device node (block 8:0)',
      () => tarOf(unified(device('rootfs/dev/sda', 8, 0, 'block-device'))),
    ],
    [
      'the memory',
      'Invalid archive: "rootfs/srv/mem" is a device node (character 1:1)',
      () => tarOf(unified(device('rootfs/srv/mem', 1, 1))),
    ],
    [
      'a file through a link that has replaced a folder',
      'Invalid archive: "/rootfs/etc/passwd" is below "rootfs/etc", which is no directory',
      () => tarOf(unified(symlink('rootfs/etc', '/etc'), file('/rootfs/etc/passwd', 'root::0:0'))),
    ],
    [
      'a sparse file of 8 EiB',
      'Invalid archive: an extended header has the GNU.sparse.size "9223372036854775808"',
      () => tarOf(unified(hole('9223372036854775808'))),
    ],
    [
      'a hole that is too large',
      `Image is too large: more than ${UNPACKED_MAX} bytes when unpacked`,
      () => tarOf(unified(hole(`${UNPACKED_MAX}`))),
    ],
    [
      'a decompression bomb',
      `Image is too large: more than ${UNPACKED_MAX} bytes when unpacked`,
      async () => gzipSync(await bomb(UNPACKED_MAX)),
    ],
    [
      'more bytes than allowed',
      `Image is too large: more than ${UPLOADED_MAX} bytes`,
      () => bomb(UPLOADED_MAX),
    ],
    [
      'a truncated gzip',
      `${DAMAGED}unexpected end of file`,
      async () => readFileSync(files.gzip).subarray(0, -1000),
    ],
    [
      'a truncated xz',
      `${DAMAGED}xz: (stdin): Unexpected end of input`,
      async () => readFileSync(files.xz).subarray(0, -1000),
    ],
    [
      'a truncated zstd',
      `${DAMAGED}unexpected end of file`,
      async () => readFileSync(files.zstd).subarray(0, -1000),
    ],
    ['a truncated tar', 'The archive ends early', async () => readFileSync(files.plain).subarray(0, 100_000)],
    ['nothing', 'EOF', async () => Buffer.alloc(0)],
    ['something else', 'Unsupported compression', async () => Buffer.from('#!/bin/sh\nexit 0\n')],
    [
      'no metadata',
      'Metadata tarball is missing metadata.yaml',
      () => tarOf([file('rootfs/etc/hostname', 'x')]),
    ],
    [
      'no root',
      'Invalid archive: the root filesystem (rootfs/) is missing',
      () => tarOf([file('metadata.yaml', METADATA)]),
    ],
    [
      'another architecture',
      "Architecture isn't supported: pdp11",
      () => tarOf([file('metadata.yaml', 'architecture: pdp11\ncreation_date: 1\n'), file('rootfs/x')]),
    ],
    [
      'other bytes than its fingerprint says',
      `Image fingerprint doesn't match: expected ${'0'.repeat(64)}, got `,
      () => tarOf(unified()),
      { 'X-LXD-fingerprint': '0'.repeat(64) },
    ],
  ])('%s', async (what, error, make, headers = {}) => {
    const before = await everything();
    const body = await make();
    const refused = await upload(body, headers);
    expect(refused.error).toBe(what.startsWith('other') ? error + sha256(body) : error);
    expect(refused.status).toBe(400);
    expect(await everything()).toEqual(before);
  });

  const FORM = { 'content-type': 'multipart/form-data; boundary=B' };
  const part = (name: string, data: Buffer | string, filename = 'f') =>
    Buffer.concat([
      Buffer.from(`--B\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\n\r\n`),
      Buffer.from(data),
      Buffer.from('\r\n'),
    ]);
  const form = (...parts: Buffer[]) => Buffer.concat([...parts, Buffer.from('--B--\r\n')]);
  const metadata = () => readFileSync(files.metadata);
  const rootfs = () => readFileSync(files.rootfs);

  it.each<[what: string, error: string, body: () => Buffer]>([
    ['a form without a root', 'Invalid multipart image', () => form(part('metadata', metadata()))],
    [
      'a form in the wrong order',
      'Invalid multipart image',
      () => form(part('rootfs', rootfs()), part('metadata', metadata())),
    ],
    [
      'a form with a third part',
      'Invalid multipart image',
      () => form(part('metadata', metadata()), part('rootfs', rootfs()), part('rootfs', rootfs())),
    ],
    [
      'the disk of a virtual machine',
      'Images of virtual machines (rootfs.img) are not supported',
      () => form(part('metadata', metadata()), part('rootfs.img', rootfs())),
    ],
    [
      'a truncated squashfs',
      'Invalid archive: the squashfs ends early',
      () => form(part('metadata', metadata()), part('rootfs', rootfs().subarray(0, -5000))),
    ],
    [
      'a squashfs as metadata',
      'Unsupported compression',
      () => form(part('metadata', rootfs()), part('rootfs', rootfs())),
    ],
  ])('%s', async (_what, error, make) => {
    const before = await everything();
    expect(await upload(make(), FORM)).toEqual({ status: 400, error });
    expect(await everything()).toEqual(before);
  });

  it('a client that disconnects during the upload', async () => {
    const before = await everything();
    const outgoing = await beginUpload();
    outgoing.destroy();
    await until('the upload is forgotten', () => staged().length === 0);
    expect(await everything()).toEqual(before);
  });
});

const staged = () =>
  readdirSync(join(daemon.stateDir, 'images')).filter((name) => name.startsWith('.stage-'));

/** Sends the first half of an image and waits until the daemon has some of it on disk. */
async function beginUpload(): Promise<ClientRequest> {
  const body = await bomb(16 * MIB);
  const outgoing = request({
    socketPath: daemon.hostSocket,
    method: 'POST',
    path: '/1.0/images',
    headers: { host: 'lxd', 'content-length': body.length },
    agent: false,
  });
  outgoing.on('error', () => {});
  outgoing.write(body.subarray(0, body.length / 2));
  const stored = (name: string) => join(daemon.stateDir, 'images', name, 'image');
  await until('bytes are stored', () =>
    staged().some((name) => existsSync(stored(name)) && statSync(stored(name)).size > MIB),
  );
  return outgoing;
}

describe('a daemon that is killed during an import', () => {
  it('removes the rest of it at the next start, and accepts the image then', async () => {
    const before = await everything();
    const outgoing = await beginUpload();
    const closed = new Promise((resolve) => outgoing.once('close', resolve));
    await daemon.kill();
    await closed;
    expect(staged()).toHaveLength(1);
    await daemon.start();
    await until('the upload is gone', () => staged().length === 0);
    expect(await everything()).toEqual(before);
    const body = await bomb(16 * MIB);
    expect((await upload(body)).error).toBe('');
    await operator.client.change('DELETE', `/1.0/images/${sha256(body)}`);
    expect(await everything()).toEqual(before);
  });
});

/** Runs SQL on the database of the daemon, which is stopped meanwhile. */
async function changeDatabase(sql: string): Promise<void> {
  await daemon.stop();
  const database = new DatabaseSync(join(daemon.stateDir, 'porthole.db'));
  database.exec(sql);
  database.close();
  await daemon.start();
}

describe('an image whose record cannot be stored', () => {
  it('leaves nothing, and can be imported again', async () => {
    const before = await everything();
    const body = await tarOf(unified(file('rootfs/unrecorded')));
    await changeDatabase(`
      CREATE TRIGGER refuse BEFORE INSERT ON images BEGIN SELECT raise(ABORT, 'no record'); END`);
    expect((await upload(body)).error).toBe('no record');
    await changeDatabase('DROP TRIGGER refuse');
    expect(await everything()).toEqual(before);
    expect((await upload(body)).error).toBe('');
    await operator.client.change('DELETE', `/1.0/images/${sha256(body)}`);
    expect(await everything()).toEqual(before);
  });
});

describe('deleting an image', () => {
  it('does not affect its instances, also when they or the daemon are restarted', async () => {
    const tar = join(files.folder, 'used.tar');
    const marked = await tarOf([file('mark', 'x')]);
    const base = readFileSync(files.plain);
    // Without its end (two empty blocks and padding) the first archive goes on with the second one's entries.
    await writeFile(tar, Buffer.concat([withoutEnd(base), marked]));
    await importFiles(tar, '--alias', 'used', '--alias', 'also-used');
    const source = { type: 'image', alias: 'used' };
    await operator.launch('u1', { source });
    await operator.launch('u2', { source });
    await operator.sh('u1', 'echo mine > /root/note');
    await daemon.must('image', 'delete', 'used');
    const aliases = await daemon.must('image', 'alias', 'list', '-f', 'csv');
    expect(aliases).not.toContain('used');
    expect(readdirSync(join(daemon.stateDir, 'images'))).not.toContain(fingerprintOf(tar));
    expect(await operator.sh('u1', 'cat /root/note; busybox true && echo runs')).toBe('mine\nruns');
    await operator.state('u1', 'restart', { force: true });
    expect(await operator.sh('u1', 'cat /root/note')).toBe('mine');
    await operator.state('u2', 'stop', { force: true });
    await daemon.restart();
    await operator.state('u2', 'start');
    expect(await operator.sh('u2', 'ls /root; busybox true && echo runs')).toBe('runs');
    const launched = await daemon.porthole('launch', 'used', 'u3');
    expect(launched).toMatchObject({ code: 1, stderr: expect.stringMatching(/^Error: Image not found/) });
    for (const name of ['u1', 'u2']) {
      await operator.state(name, 'stop', { force: true });
      await operator.delete(name);
    }
    const roots = readdirSync(join(daemon.stateDir, 'rootfs'));
    expect(roots.filter((name) => name.startsWith(fingerprintOf(tar)))).toEqual([]);
  });

  it('removes all its files', async () => {
    await daemon.must('image', 'delete', 'plain', 'gzip', 'xz', 'zstd', 'split');
    expect(await everything()).toEqual({ folders: [], images: [], aliases: [] });
    expect(readdirSync(join(daemon.stateDir, 'rootfs'))).toEqual([]);
  });
});

const TAR_BLOCK = 512;

function withoutEnd(tar: Buffer): Buffer {
  const empty = Buffer.alloc(TAR_BLOCK);
  let end = tar.length;
  while (tar.subarray(end - TAR_BLOCK, end).equals(empty)) end -= TAR_BLOCK;
  return tar.subarray(0, end);
}
