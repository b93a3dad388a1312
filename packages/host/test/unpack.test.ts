import { chmod, lstat, mkdir, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import type { ImageDirectory } from '../src/images/image-directory.ts';
import {
  device,
  type Entry,
  file,
  folder,
  hardlink,
  METADATA,
  squashfsOf,
  symlink,
  tarOf,
  temporaryFolder,
  unified,
} from '../src/images/testing/archives.ts';
import { openDirectory, receive, splitUpload, unifiedUpload } from '../src/images/testing/receive.ts';
import { run } from '../src/process/run.ts';

/** Ranges that begin at different numbers, as a host may have them. */
const IDS = { uid: 1_000_000, gid: 2_000_000 };
/** cap_net_raw+ep, version 2, as `setcap` writes it and tar archives carry it. */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex').toString('latin1');

let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let directory: ImageDirectory;
let roots: string;
let target: string;

beforeEach(async () => {
  scratch = await temporaryFolder();
  directory = await openDirectory(join(scratch.path, 'images'));
  roots = join(scratch.path, 'roots');
  target = join(roots, 'root');
  await mkdir(roots, { mode: 0o711 });
  await chmod(roots, 0o711);
});
afterEach(async () => scratch[Symbol.asyncDispose]());

async function publishTar(...more: readonly Entry[]) {
  const staged = await receive(directory, unifiedUpload(gzipSync(await tarOf(unified(...more)))));
  await directory.publish(staged);
  return staged;
}

async function publishSquashfs(root: string) {
  const path = join(scratch.path, 'root.squashfs');
  await squashfsOf(root, path);
  const metadata = await tarOf([file('metadata.yaml', METADATA)]);
  const staged = await receive(
    directory,
    splitUpload(['metadata', metadata], ['rootfs', await readFile(path)]),
  );
  await directory.publish(staged);
  return staged;
}

const unpack = (
  image: Parameters<ImageDirectory['unpack']>[0],
  ids = IDS,
  signal = new AbortController().signal,
) => directory.unpack(image, target, ids, () => {}, signal);

const stat = async (name: string) => {
  const { mode, uid, gid, nlink, size } = await lstat(join(target, name));
  return { mode: mode & 0o7777, uid: uid - IDS.uid, gid: gid - IDS.gid, nlink, size };
};

it('owners are shifted, modes kept, and the root is open to all in the instance', async () => {
  await unpack(
    await publishTar(
      file('rootfs/bin/su', 'su', { mode: 0o4755, uid: 0, gid: 42 }),
      folder('rootfs/root', { mode: 0o700 }),
      folder('rootfs/home/me', { uid: 1000, gid: 65_535, mode: 0o2770 }),
      folder('rootfs', { mode: 0o700, uid: 7 }),
    ),
  );
  expect(await stat('.')).toMatchObject({ mode: 0o755, uid: 0, gid: 0 });
  expect(await stat('bin')).toMatchObject({ mode: 0o755, uid: 0, gid: 0 });
  expect(await stat('bin/su')).toMatchObject({ mode: 0o4755, uid: 0, gid: 42 });
  expect(await stat('root')).toMatchObject({ mode: 0o700, uid: 0 });
  expect(await stat('home/me')).toMatchObject({ mode: 0o2770, uid: 1000, gid: 65_535 });
  expect(await readFile(join(target, 'etc/hostname'), 'utf8')).toBe('tiny\n');
  expect(await readdir(target)).toEqual(['bin', 'etc', 'home', 'root']);
  expect(await readdir(roots)).toEqual(['root']);
});

it('owners are as in the image when the instance is privileged', async () => {
  await unpack(await publishTar(file('rootfs/f', '', { uid: 5, mode: 0o4711 })), { uid: 0, gid: 0 });
  expect(await lstat(join(target, 'f'))).toMatchObject({ uid: 5, gid: 0, mode: 0o104711 });
});

it.each([
  ['an instance with ids of its own', IDS],
  ['a privileged instance', { uid: 0, gid: 0 }],
])('of entries with the same name the last one counts: %s', async (_what, ids) => {
  await unpack(
    await publishTar(
      file('rootfs/a', 'one'),
      hardlink('rootfs/b', '/rootfs/a'),
      file('/rootfs/a', 'two', { mode: 0o600 }),
      folder('rootfs/d', { mode: 0o555 }),
      file('rootfs/d/old'),
      symlink('rootfs/d', '/etc'),
      folder('rootfs/d', { mode: 0o511 }),
      file('rootfs/d/new'),
      folder('rootfs/e'),
      file('rootfs/e/old'),
      symlink('rootfs/e', '/etc'),
      symlink('rootfs/l', '/etc/passwd'),
      hardlink('rootfs/l2', 'rootfs/l'),
      file('rootfs/l', 'a file'),
      folder('rootfs/d/', { mode: 0o700 }),
    ),
    ids,
  );
  const read = (name: string) => readFile(join(target, name), 'utf8');
  expect([await read('a'), await read('b'), await read('l')]).toEqual(['two', 'one', 'a file']);
  expect(await readlink(join(target, 'l2'))).toBe('/etc/passwd');
  expect(await readlink(join(target, 'e'))).toBe('/etc');
  expect(await readdir(join(target, 'd'))).toEqual(['new']);
  expect((await stat('d')).mode).toBe(0o700);
  expect((await stat('a')).mode).toBe(0o600);
  expect(await readdir(target)).toEqual(['a', 'b', 'd', 'e', 'etc', 'l', 'l2']);
  expect(await readdir(roots)).toEqual(['root']);
});

it('links are kept, and device nodes are left out', async () => {
  const long = `${'long/'.repeat(30)}name`;
  await unpack(
    await publishTar(
      symlink('rootfs/abs', '/etc/passwd'),
      symlink('rootfs/up', '../../../../etc/passwd'),
      hardlink('rootfs/abs2', 'rootfs/abs'),
      hardlink('rootfs/etc/name', 'rootfs/etc/hostname'),
      device('rootfs/dev/null', 1, 3),
      { name: 'rootfs/run/fifo', type: 'fifo' },
      file(`rootfs/${long}`, 'deep'),
      symlink('rootfs/far', 'x'.repeat(150)),
      file('rootfs/ünï', 'text', { mode: 0o600 }),
    ),
  );
  expect(await readlink(join(target, 'abs'))).toBe('/etc/passwd');
  expect(await readlink(join(target, 'abs2'))).toBe('/etc/passwd');
  expect(await readlink(join(target, 'up'))).toBe('../../../../etc/passwd');
  expect(await readlink(join(target, 'far'))).toBe('x'.repeat(150));
  expect(await stat('etc/name')).toMatchObject({ nlink: 2, size: 5 });
  expect(await readdir(join(target, 'dev'))).toEqual([]);
  expect((await lstat(join(target, 'run/fifo'))).isFIFO()).toBe(true);
  expect(await readFile(join(target, long), 'utf8')).toBe('deep');
  expect(await readFile(join(target, 'ünï'), 'utf8')).toBe('text');
});

it('file capabilities are kept, and belong to the instance', async () => {
  await unpack(
    await publishTar(
      file('rootfs/ping', 'ping', {
        mode: 0o755,
        pax: { 'SCHILY.xattr.user.note': 'hi', 'SCHILY.xattr.security.capability': CAPABILITY },
      }),
      file('rootfs/odd', '', {
        pax: { 'SCHILY.xattr.user.overlay.opaque': 'y', 'SCHILY.xattr.trusted.x': 'y' },
      }),
    ),
  );
  const ping = await attributes('ping');
  expect(ping).toContain('SCHILY.xattr.user.note=hi');
  // As the host sees it: version 3, with the host id of the root user that it is valid for.
  expect(ping).toContain(
    `SCHILY.xattr.security.capability=${CAPABILITY.replace('\x02', '\x03')}\x40\x42\x0f\0`,
  );
  expect(await attributes('odd')).not.toContain('xattr');
});

/** A file's attributes, as GNU tar sees them from the host. */
async function attributes(name: string): Promise<string> {
  const args = ['--create', '--format=pax', '--xattrs', '--xattrs-include=*', '--file=-', name];
  return (await run('tar', args, { cwd: target })).stdout;
}

it('a squashfs is unpacked in the same way', async () => {
  const root = join(scratch.path, 'tree');
  const script =
    'mkdir -p $D/dev $D/etc $D/home; mknod $D/dev/null c 1 3; echo hi > $D/etc/hi; ln $D/etc/hi $D/etc/hard;' +
    'ln -s /etc/hi $D/link; mkfifo $D/fifo; chown 1000:65535 $D/home; chmod 4755 $D/etc/hi; chmod 700 $D';
  expect(
    (await run('sh', ['-ec', script], { env: { D: root, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })).failure,
  ).toBe('');
  await unpack(await publishSquashfs(root));
  expect(await stat('.')).toMatchObject({ mode: 0o755, uid: 0, gid: 0 });
  expect(await stat('home')).toMatchObject({ uid: 1000, gid: 65_535 });
  expect(await stat('etc/hard')).toMatchObject({ mode: 0o4755, uid: 0, nlink: 2 });
  expect(await readlink(join(target, 'link'))).toBe('/etc/hi');
  expect(await readdir(join(target, 'dev'))).toEqual([]);
});

it.each([
  ['user.overlay.redirect', IDS],
  ['trusted.overlay.opaque', { uid: 0, gid: 0 }],
])('a squashfs with %s is not unpacked: an overlay would obey it', async (name, ids) => {
  const root = join(scratch.path, 'tree');
  await mkdir(join(root, 'etc'), { recursive: true });
  const set = (attribute: string) => run('setfattr', ['-n', attribute, '-v', '/x', join(root, 'etc')]);
  expect((await set('user.fine')).failure).toBe('');
  const fine = await publishSquashfs(root);
  await unpack(fine, ids);
  expect(await attributes('etc')).toContain('SCHILY.xattr.user.fine=/x');
  await rm(target, { recursive: true });
  expect((await set(name)).failure).toBe('');
  const odd = await publishSquashfs(root);
  await expect(unpack(odd, ids)).rejects.toThrow('the squashfs has attributes of an overlay: "# file: /etc"');
  expect(await readdir(roots)).toEqual([]);
});

it.each([
  ['once', []],
  ['twice, because an entry replaces another', [file('rootfs/etc/hostname')]],
])('progress grows and ends at 100, when the archive is read %s', async (_what, more) => {
  const image = await publishTar(file('rootfs/blob', Buffer.alloc(3_000_000, 'abc')), ...more);
  const seen: number[] = [];
  await directory.unpack(image, target, IDS, (percent) => seen.push(percent), new AbortController().signal);
  expect(seen.at(-1)).toBe(100);
  expect(seen).toEqual(seen.toSorted((one, other) => one - other));
});

it('a cancelled unpack leaves nothing', async () => {
  const image = await publishTar(file('rootfs/blob', Buffer.alloc(30_000_000)));
  const cancel = new AbortController();
  const work = directory.unpack(
    image,
    target,
    IDS,
    () => cancel.abort(new Error('cancelled')),
    cancel.signal,
  );
  await expect(work).rejects.toThrow('cancelled');
  expect(await readdir(roots)).toEqual([]);
});

it('an unpack that is cancelled in its first moments leaves no program', async () => {
  const image = await publishTar(file('rootfs/blob', Buffer.alloc(3_000_000)));
  for (let moment = 0; moment < 60; moment++) {
    const cancel = new AbortController();
    const work = directory.unpack(image, target, IDS, () => {}, cancel.signal);
    setTimeout(() => cancel.abort(new Error('cancelled')), 2 + moment / 10);
    await work.catch(() => {});
    await rm(target, { recursive: true, force: true });
  }
  const { stdout } = await run('pgrep', ['--full', roots]);
  expect(stdout).toBe('');
});

it('an unpack of a damaged or missing file leaves nothing', async () => {
  const image = await publishTar(file('rootfs/blob', Buffer.alloc(3_000_000)));
  const [path] = directory.paths(image);
  await run('truncate', ['-s', '-100', path!]);
  await expect(unpack(image)).rejects.toMatchObject({ code: 'image-invalid' });
  await directory.remove(image.fingerprint);
  await expect(unpack(image)).rejects.toMatchObject({ code: 'image-not-found' });
  expect(await readdir(roots)).toEqual([]);
});

it('an unpack that fails says why', async () => {
  const image = await publishTar(file(`rootfs/${'n'.repeat(256)}`));
  await expect(unpack(image)).rejects.toThrow('File name too long');
  expect(await readdir(roots)).toEqual([]);
});
