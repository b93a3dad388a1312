import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compress,
  device,
  type Entry,
  file,
  hardlink,
  METADATA,
  squashfsOf,
  stalled,
  symlink,
  tarOf,
  unified,
} from '../src/images/testing/archives.ts';
import { run } from '../src/process/run.ts';
import { hostApi, until } from './harness/api.ts';
import { TestDaemon } from './harness/daemon.ts';

const UNPACKED_MAX = 64 * 1024 * 1024;

let daemon: TestDaemon;
let folder: string;
let base: string;

beforeAll(async () => {
  daemon = await TestDaemon.start(['--image-unpacked-bytes', String(UNPACKED_MAX)]);
  folder = mkdtempSync('/var/tmp/porthole-import-');
  const built = await daemon.must('image', 'build', 'busybox');
  base = join(daemon.stateDir, 'images', /[0-9a-f]{64}/.exec(built)?.[0] ?? '');
  const archive = join(base, readdirSync(base)[0] ?? '');
  const unpacked = await run('tar', ['-xzf', archive, '-C', folder]);
  if (!unpacked.ok) throw new Error(unpacked.failure);
});
afterAll(async () => {
  await daemon?.destroy();
  rmSync(folder, { recursive: true, force: true });
});

const images = () => readdirSync(join(daemon.stateDir, 'images')).sort();
const records = () => hostApi(daemon).get<string[]>('/1.0/images');

async function tar(name: string, args: string[], changed = ''): Promise<string> {
  const path = join(folder, name);
  // Another date makes other bytes, and so another fingerprint.
  writeFileSync(join(folder, 'metadata.yaml'), `${METADATA}# ${name}${changed}\n`);
  const made = await run('tar', ['-C', folder, ...args, '-cf', path, 'metadata.yaml', 'rootfs']);
  if (!made.ok) throw new Error(made.failure);
  return path;
}

async function runs(image: string, name: string): Promise<void> {
  await daemon.must('launch', image, name);
  expect((await daemon.inside(name, 'devlxd', '/')).stdout).toBe('["/1.0"]\n');
  await daemon.must('delete', '-f', name);
}

describe('import', () => {
  it.each([
    ['plain.tar', []],
    ['gzip.tar.gz', ['-z']],
    ['xz.tar.xz', ['-I', 'xz -0']],
    ['zstd.tar.zst', ['-I', 'zstd -1']],
  ])('takes a unified image %s, which then runs', async (name, args) => {
    const alias = name.replaceAll('.', '-');
    await daemon.must('image', 'import', await tar(name, args), '--alias', alias);
    await runs(alias, 'unified');
  });

  it('takes a split image with a squashfs root, which then runs', async () => {
    const metadata = join(folder, 'metadata.tar.xz');
    writeFileSync(metadata, await compress(await tarOf([file('metadata.yaml', METADATA)]), 'xz'));
    await squashfsOf(join(folder, 'rootfs'), join(folder, 'root.squashfs'));
    await daemon.must('image', 'import', metadata, join(folder, 'root.squashfs'), '--alias', 'split');
    await runs('split', 'split');
  });

  it('refuses the same image twice', async () => {
    const again = await daemon.porthole('image', 'import', join(base, readdirSync(base)[0] ?? ''));
    expect([again.code, again.stderr]).toEqual([1, 'Error: Image with same fingerprint already exists\n']);
  });

  it.each<[string, RegExp, () => Promise<Buffer> | Buffer]>([
    ['a name with ..', /"\.\."/, () => packed(file('rootfs/../../etc/x'))],
    ['an absolute name', /absolute/, () => packed(file('/etc/x'))],
    ['a file through a link', /no directory/, () => packed(symlink('rootfs/out', '/'), file('rootfs/out/x'))],
    ['a hard link out of the root', /./, () => packed(hardlink('rootfs/x', '/etc/shadow'))],
    ['a disk of the host', /./, () => packed(device('rootfs/dev/sda', 8, 0))],
    ['a decompression bomb', /too large/i, bomb],
    [
      'a truncated archive',
      /./,
      async () => (await packed(file('rootfs/x', 'y'.repeat(100_000)))).subarray(0, 200),
    ],
    ['no archive', /Unsupported compression/, () => Buffer.from('this is text')],
    ['nothing', /EOF/, () => Buffer.alloc(0)],
    ['no metadata', /missing metadata\.yaml/, async () => compress(await tarOf([file('rootfs/x')]), 'gzip')],
  ])('refuses %s, and leaves nothing', async (_what, text, make) => {
    const [before, known] = [images(), await records()];
    const path = join(folder, 'hostile.tar.gz');
    writeFileSync(path, await make());
    const result = await daemon.porthole('image', 'import', path, '--alias', 'hostile');
    expect([result.code, result.stderr]).toEqual([1, expect.stringMatching(text)]);
    expect([images(), await records()]).toEqual([before, known]);
    expect((await daemon.porthole('image', 'info', 'hostile')).code).toBe(1);
  });

  it('refuses bytes that have another fingerprint than was promised', async () => {
    const [before, bytes] = [images(), await packed(file('rootfs/x'))];
    const headers = { 'X-LXD-fingerprint': 'a'.repeat(64), 'Content-Type': 'application/octet-stream' };
    const body = stalled(bytes);
    body.push(null);
    await expect(hostApi(daemon).change('POST', '/1.0/images', { body, headers })).rejects.toThrow(
      /fingerprint/,
    );
    expect(images()).toEqual(before);
  });

  it('leaves nothing when the daemon is killed in the middle', async () => {
    const before = images();
    const headers = { 'Content-Type': 'application/octet-stream' };
    const body = stalled((await packed(file('rootfs/x', 'y'.repeat(1000)))).subarray(0, 100));
    const sent = hostApi(daemon).change('POST', '/1.0/images', { body, headers });
    const failed = expect(sent).rejects.toThrow();
    await until('the upload has begun', () => images().length > before.length);
    await daemon.kill();
    body.destroy();
    await failed;
    await daemon.start();
    expect(images()).toEqual(before);
  });
});

describe('an image', () => {
  it('can be deleted while instances stand on it; they go on and start again', async () => {
    await daemon.must('image', 'import', await tar('short.tar', [], ' short-lived'), '--alias', 'short');
    await daemon.must('launch', 'short', 'survivor');
    await daemon.must('image', 'delete', 'short');
    await daemon.must('restart', '-f', 'survivor');
    expect((await daemon.inside('survivor', 'devlxd', '/')).stdout).toBe('["/1.0"]\n');
    await daemon.must('delete', '-f', 'survivor');
  });

  it('takes its unpacked root with it when nobody stands on it', async () => {
    const roots = () => readdirSync(join(daemon.stateDir, 'rootfs'));
    await daemon.must('image', 'import', await tar('gone.tar', [], ' soon gone'), '--alias', 'gone');
    await daemon.must('init', 'gone', 'x');
    await daemon.must('delete', 'x');
    const before = roots().length;
    await daemon.must('image', 'delete', 'gone');
    expect(roots().length).toBe(before - 1);
    expect(existsSync(base)).toBe(true);
  });
});

async function packed(...entries: Entry[]): Promise<Buffer> {
  return compress(await tarOf(unified(...entries)), 'gzip');
}

async function bomb(): Promise<Buffer> {
  return packed(file('rootfs/zeros', Buffer.alloc(2 * UNPACKED_MAX)));
}
