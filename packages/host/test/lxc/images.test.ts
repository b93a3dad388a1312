import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { parse, stringify } from 'yaml';
import { file, tarOf } from '../../src/images/testing/archives.ts';
import { run } from '../../src/process/run.ts';
import { until } from '../harness/api.ts';
import { type ImageFiles, imageFiles } from '../harness/image-files.ts';
import { LxcClient, outputOf } from '../harness/lxc.ts';
import { Terminal } from '../harness/terminal.ts';

let lxc: LxcClient;
let files: ImageFiles;

beforeAll(async () => {
  [lxc, files] = await Promise.all([LxcClient.start(), imageFiles()]);
});

afterAll(async () => {
  await lxc?.destroy();
  await files?.[Symbol.asyncDispose]();
});

const at = (name: string) => join(lxc.folder, name);
const image = (verb: string, ...args: string[]) => lxc.must('image', verb, ...args);
const sha256 = (...paths: string[]) => {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(readFileSync(path));
  return hash.digest('hex');
};

it('an image is imported, launched, exported and deleted', async () => {
  const imported = await image('import', files.xz, '--alias', 'one', 'release=7', '--public');
  expect(imported).toMatch(`Image imported with fingerprint: ${sha256(files.xz)}`);
  const launched = await lxc.must('launch', 'one', 'c1');
  expect(launched).toMatch(/Unpack: \d+%/);
  expect(await lxc.must('config', 'get', 'c1', 'image.release')).toBe('7\n');
  await image('export', 'one', at('out'));
  expect(readdirSync(lxc.folder)).toContain('out.tar.xz');
  expect(sha256(at('out.tar.xz'))).toBe(sha256(files.xz));
  expect(await lxc.refusal('image', 'import', files.xz)).toBe('Image with same fingerprint already exists');
  await image('delete', 'one');
  expect(await lxc.refusal('image', 'info', 'one')).toBe('Image not found');
  await lxc.must('delete', '--force', 'c1');
});

it('an image of Podman is recognised, and the error says how to make an image of it', async () => {
  writeFileSync(
    at('app.tar'),
    await tarOf([file('blobs/sha256/ab'), file('index.json'), file('oci-layout')]),
  );
  expect(await lxc.refusal('image', 'import', at('app.tar'))).toBe(
    'This is an image of Podman or Docker, not of LXD: it has oci-layout. To make one of it, unpack it with ' +
      'skopeo (oci-archive:FILE) and umoci, add a metadata.yaml, and pack both: see docs/images.md',
  );
});

it('an image of two files is exported unchanged', async () => {
  await image('import', '--quiet', files.metadata, files.rootfs, '--alias', 'split');
  await image('export', 'split', at('parts'));
  const [meta, root] = readdirSync(lxc.folder)
    .filter((name) => name.startsWith('parts'))
    .sort();
  expect(sha256(at(meta ?? ''), at(root ?? ''))).toBe(sha256(files.metadata, files.rootfs));
  await image('delete', 'split');
});

it('an import shows its progress in its operation', async () => {
  const child = lxc.spawn('monitor', '--type=operation', '-f', 'json');
  const output = outputOf(child);
  try {
    // The first import that the monitor sees may have begun before it listened.
    await until('the monitor sees a whole import', async () => {
      await lxc.run('query', '-X', 'DELETE', '--wait', `/1.0/images/${sha256(files.xz)}`);
      await image('import', files.xz);
      return ['Check: 100%', '"download_progress":"rootfs: '].every((each) => output.text.includes(each));
    });
    expect(output.text).toMatch(/"download_progress":"rootfs: \d+ bytes"/);
  } finally {
    child.kill('SIGKILL');
    await image('delete', sha256(files.xz));
  }
});

it('the client shows how much of a split image it has sent', async () => {
  // The client checks the beginning of the file that it sends.
  copyFileSync(files.rootfs, at('large'));
  truncateSync(at('large'), 256 * 1024 * 1024);
  const terminal = new Terminal('lxc', ['image', 'import', files.metadata, at('large')], lxc.env);
  const images = join(lxc.daemon.stateDir, 'images');
  await until('it arrives', () => readdirSync(images).some((name) => name.startsWith('.stage-')));
  process.kill(lxc.daemon.pid, 'SIGSTOP');
  // The client shows it once a second, for the first time after a second.
  await pause(1_100);
  process.kill(lxc.daemon.pid, 'SIGCONT');
  await terminal.sees('Transferring image: ');
  terminal.close();
  await until('nothing is left', () => readdirSync(images).every((name) => !name.startsWith('.stage-')));
  rmSync(at('large'));
});

it('a folder is packed and imported as an image', async () => {
  const folder = at('made');
  mkdirSync(join(folder, 'rootfs'), { recursive: true });
  mkdirSync(join(folder, 'templates'));
  writeFileSync(join(folder, 'rootfs', 'f'), 'x');
  writeFileSync(join(folder, 'metadata.yaml'), 'architecture: x86_64\ncreation_date: 1700000000\n');
  await image('import', folder, '--alias', 'made');
  expect(await image('info', 'made')).toMatch('Created: 2023/11/14');
  await image('delete', 'made');
});

it('the metadata of an image are shown and edited', async () => {
  const shown = parse(await image('show', 'busybox'));
  expect(shown).toMatchObject({ public: false, properties: { os: 'BusyBox' }, profiles: ['default'] });
  const edited = { ...shown, public: true, properties: { ...shown.properties, note: 'new' } };
  expect((await lxc.feed(stringify(edited), 'image', 'edit', 'busybox')).ok).toBe(true);
  expect(await image('info', 'busybox')).toMatch('Public: yes');
  expect(await image('get-property', 'busybox', 'note')).toBe('new\n');
  await image('set-property', 'busybox', 'note', 'other');
  await image('unset-property', 'busybox', 'note');
  expect(parse(await image('show', 'busybox')).properties).toEqual(shown.properties);
});

it('images are listed, filtered, and found by a prefix of the fingerprint', async () => {
  const [row] = JSON.parse(await image('list', '-f', 'json')) as { fingerprint: string; size: number }[];
  expect(row?.size).toBeGreaterThan(100_000);
  const beginning = row?.fingerprint.slice(0, 12) ?? '';
  expect(await image('list', '-f', 'csv', '-c', 'lf')).toBe(`busybox,${beginning}\n`);
  expect(await image('list', '-f', 'csv', '-c', 'f', 'os=BusyBox')).toBe(`${beginning}\n`);
  expect((await image('list', '-f', 'csv', '-c', 'f', 'os=Other')).trim()).toBe('');
  expect(await image('info', beginning)).toMatch(`Fingerprint: ${row?.fingerprint}`);
});

it('aliases are created, listed, renamed and deleted', async () => {
  const alias = (verb: string, ...args: string[]) => image('alias', verb, ...args);
  const [row] = JSON.parse(await image('list', '-f', 'json')) as { fingerprint: string }[];
  await alias('create', 'two', row?.fingerprint.slice(0, 20) ?? '');
  expect(await lxc.refusal('image', 'alias', 'create', 'two', row?.fingerprint ?? '')).toBe(
    'Alias "two" already exists',
  );
  await alias('rename', 'two', 'three/four');
  expect(await alias('list', '-f', 'csv', 'three/four')).toMatch(/^three\/four,/);
  await alias('delete', 'three/four');
  expect(await lxc.refusal('image', 'alias', 'delete', 'three/four')).toBe('Image alias not found');
  expect(await lxc.refusal('image', 'alias', 'create', 'two', 'ffff')).toBe('Image not found');
});

it.each([
  ['a file that is not an archive', 'not an image', 'Unsupported compression'],
  ['an empty file', '', 'EOF'],
])('refuses an import of %s', async (_what, content, text) => {
  writeFileSync(at('bad'), content);
  expect(await lxc.refusal('image', 'import', at('bad'))).toBe(text);
});

it('refuses to make images of instances', async () => {
  await lxc.must('init', 'busybox', 'c1');
  expect(await lxc.refusal('publish', 'c1')).toMatch('Images are made from uploads only');
  await lxc.must('delete', 'c1');
});

it('an import that fills the disk fails, and leaves space for the next', async () => {
  const small = at('small');
  mkdirSync(small);
  expect(await run('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'none', small])).toMatchObject({ ok: true });
  try {
    const images = join(lxc.daemon.stateDir, 'images');
    await lxc.daemon.stop();
    await run('cp', ['-a', `${images}/.`, small]);
    expect(await run('mount', ['--bind', small, images])).toMatchObject({ ok: true });
    await lxc.daemon.start();
    const before = readdirSync(images, { recursive: true }).sort();
    writeFileSync(at('big.tar'), Buffer.alloc(32 * 1024 * 1024, 1));
    expect(await lxc.refusal('image', 'import', at('big.tar'))).toMatch(/no space left|ENOSPC/i);
    expect(readdirSync(images, { recursive: true }).sort()).toEqual(before);
    await image('import', files.zstd, '--alias', 'fits');
    await image('delete', 'fits');
  } finally {
    await lxc.daemon.stop();
    await run('umount', [join(lxc.daemon.stateDir, 'images')]);
    await run('umount', [small]);
    await lxc.daemon.start();
  }
  rmSync(small, { recursive: true });
  expect(existsSync(small)).toBe(false);
});
