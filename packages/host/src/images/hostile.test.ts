import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { run } from '../process/run.ts';
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
} from './testing/archives.ts';
import { openDirectory, receive, splitUpload, unifiedUpload } from './testing/receive.ts';

let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  scratch = await temporaryFolder();
});
afterEach(async () => scratch[Symbol.asyncDispose]());

const LIMITS = {
  entries: 50,
  pathBytes: 300,
  namesBytes: 4000,
  headerBytes: 5000,
  unpackedBytes: 10_000_000,
};

const openImages = () => openDirectory(join(scratch.path, 'images'), LIMITS);

async function refusal(bytes: Buffer): Promise<string> {
  const failed = await receive(await openImages(), unifiedUpload(bytes)).then(
    () => 'accepted',
    (error: Error) => error.message,
  );
  expect(await readdir(join(scratch.path, 'images'))).toHaveLength(failed === 'accepted' ? 1 : 0);
  return failed;
}

const deep = Array.from({ length: 60 }, (_, at) => `d${at}`).join('/');
const pax = (records: Record<string, string>): Entry => file('rootfs/pax', '', { pax: records });

it.each<[what: string, text: string, entries: readonly Entry[]]>([
  ['an absolute name', 'an absolute name: "/etc/passwd"', [file('/etc/passwd')]],
  ['a name that climbs', 'a name with "..": "rootfs/../../etc"', [file('rootfs/../../etc')]],
  ['a name that climbs back', 'a name with ".."', [file('rootfs/etc/../hosts')]],
  [
    'a name through a link',
    'below "rootfs/out", which is no dir',
    [symlink('rootfs/out', '/'), file('rootfs/out/x')],
  ],
  ['a name through a harmless link', 'is no directory', [symlink('rootfs/lib', 'usr'), file('rootfs/lib/x')]],
  ['a name through a file', 'is no directory', [file('rootfs/f'), folder('rootfs/f/g')]],
  ['a folder in place of a link', 'is there twice', [symlink('rootfs/out', '/'), folder('rootfs/out')]],
  ['a link in place of a folder', 'is there twice', [symlink('rootfs/etc', '/etc')]],
  [
    'a link in place of a folder that is implied',
    'is there twice',
    [file('rootfs/a/b'), symlink('rootfs/a', '/')],
  ],
  ['a file twice', 'is there twice', [file('rootfs/etc/hostname')]],
  ['a hard link out', 'an absolute name', [hardlink('rootfs/x', '/etc/shadow')]],
  ['a hard link up', 'a name with ".."', [hardlink('rootfs/x', '../shadow')]],
  ['a hard link to nothing', 'no file before it', [hardlink('rootfs/x', 'rootfs/later')]],
  ['a hard link to a folder', 'no file before it', [hardlink('rootfs/x', 'rootfs/etc')]],
  [
    'a hard link to the metadata',
    "across the root filesystem's edge",
    [hardlink('rootfs/x', 'metadata.yaml')],
  ],
  ['a disk', 'is a device node (block 8:0)', [device('rootfs/dev/sda', 8, 0, 'block-device')]],
  ['a disk that is called null', 'is a device node', [device('rootfs/dev/null', 8, 0, 'block-device')]],
  ['null under another number', 'is a device node', [device('rootfs/dev/null', 1, 1)]],
  ['null in another place', 'is a device node', [device('rootfs/srv/null', 1, 3)]],
  ['null beside the root', 'is a device node', [device('dev/null', 1, 3)]],
  ['a link to nothing', 'is a link to nothing', [{ name: 'rootfs/l', type: 'symlink', linkname: '' }]],
  ['a long name', 'a name is too long', [file(`rootfs/${'n'.repeat(300)}`)]],
  ['a long link', 'too long', [symlink('rootfs/l', 'n'.repeat(301))]],
  ['too many files', 'more than 50 files', Array.from({ length: 60 }, (_, at) => file(`rootfs/${at}`))],
  ['too many implied folders', 'more than 50 files', [file(`rootfs/${deep}`)]],
  [
    'names that are too long together',
    'its names',
    Array.from({ length: 20 }, (_, at) => file(`${at}${'n'.repeat(250)}`)),
  ],
  ['an owner that no instance has', 'ids up to 65535 only', [file('rootfs/f', '', { uid: 65536 })]],
  ['a group that no instance has', 'ids up to 65535 only', [file('rootfs/f', '', { gid: 1_000_000 })]],
  ['an owner in an extended header', 'belongs to 70000:0', [pax({ uid: '70000' })]],
  ['a negative owner', 'has the uid "-1"', [pax({ uid: '-1' })]],
  ['a huge size', 'ends early', [pax({ size: '9007199254740991' })]],
  ['a size beyond all numbers', 'has the size', [pax({ size: '99999999999999999999' })]],
  ['another name in an extended header', 'an absolute name', [pax({ path: '/etc/passwd' })]],
  ['a NUL in a name', 'a NUL', [pax({ path: 'rootfs/a\0b' })]],
  ['an empty name', 'a name is empty', [pax({ path: '' })]],
  ['a sparse file', 'sparse files are not supported', [pax({ 'GNU.sparse.name': '../x' })]],
  ['a long extended header', 'an extended header is too long', [pax({ comment: 'c'.repeat(6000) })]],
])('refuses %s', async (_what, text, entries) => {
  expect(await refusal(await tarOf(unified(...entries)))).toContain(text);
});

it.each<[what: string, text: string, entries: readonly Entry[]]>([
  ['a link as the root', '"rootfs" must be a directory', [symlink('rootfs', '/')]],
  ['a file as the root', '"rootfs" must be a directory', [file('rootfs')]],
  ['a link as the metadata', 'metadata.yaml is not a file', [symlink('metadata.yaml', '/etc/passwd')]],
])('refuses %s', async (_what, text, entries) => {
  expect(await refusal(await tarOf(entries))).toContain(text);
});

/** Changes a header block and corrects its checksum. */
function patched(tar: Buffer, at: number, change: (header: Buffer) => void): Buffer {
  const copy = Buffer.from(tar);
  const header = copy.subarray(at, at + 512);
  change(header);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return copy;
}

/** The first header is that of a file with an empty body. */
const plain = () => tarOf([file('empty'), ...unified()]);

it.each<[what: string, text: string, change: (header: Buffer) => void]>([
  ['an unknown kind', 'is of the unknown kind "Z"', (header) => header.write('Z', 156)],
  ["GNU tar's sparse kind", 'unknown kind "S"', (header) => header.write('S', 156)],
  ['a part of several volumes', 'unknown kind "M"', (header) => header.write('M', 156)],
  [
    'a malformed global header',
    'is malformed',
    (header) => header.write('g', 156) && header.write('00000001000', 124),
  ],
  ['a negative size', 'has the size -1', (header) => header.fill(0xff, 124, 136)],
  ['a size of 2^80', 'has the size', (header) => header.fill(0, 124, 136).writeUInt16BE(0x8000 + 1, 124)],
  ['letters for a size', 'has the size "12x', (header) => header.write('12x\0', 124)],
  [
    'a folder with a content',
    'is no file but has a content',
    (header) => header.write('5', 156) && header.write('00000001000', 124),
  ],
  ['another kind of header', 'is not one of a tar archive', (header) => header.write('usta~', 257)],
])('refuses %s', async (_what, text, change) => {
  const bytes = patched(await plain(), 0, change);
  // An upload is recognised by its magic: a wrong one reaches the tar reader only in a compressed upload.
  expect(await refusal(gzipSync(bytes))).toContain(text);
});

it('refuses a header with a wrong checksum', async () => {
  const bytes = await plain();
  bytes.write('x', 0);
  expect(await refusal(bytes)).toContain('the checksum of a header is wrong');
});

it('accepts what root filesystems usually have: links anywhere, setuid, devices in dev, fifos', async () => {
  const usual = unified(
    symlink('rootfs/bin', 'usr/bin'),
    symlink('rootfs/etc/mtab', '/proc/self/mounts'),
    symlink('rootfs/etc/up', '../../../../x'),
    file('rootfs/usr/bin/su', 'su', { mode: 0o4755, uid: 65_535 }),
    hardlink('rootfs/usr/bin/sg', './rootfs//usr/bin/su'),
    device('rootfs/dev/null', 1, 3),
    hardlink('rootfs/dev/zero', 'rootfs/dev/null'),
    device('rootfs/dev/tty1', 4, 1),
    device('rootfs/dev/ttyS0', 4, 64),
    { name: 'rootfs/run/initctl', type: 'fifo' },
    file('templates/hostname.tpl', '{{ name }}'),
    folder('./rootfs/etc'),
  );
  expect(await refusal(await tarOf(usual))).toBe('accepted');
});

it.each([
  ['a disk', '', ['sda b 600 0 0 8 0'], 'is a device node (block 8:0)'],
  ['an owner that no instance has', 'touch $D/f', ['f m 644 70000 0'], 'ids up to 65535 only'],
  ['a name with a new line', 'touch "$D/a\nb"', [], 'cannot be unpacked'],
  ['a sparse file beyond the limit', 'truncate -s 20M $D/f', [], 'bytes when unpacked'],
  ['too many files', 'cd $D && seq 60 | xargs touch', [], 'more than 50 files'],
])('refuses a squashfs with %s', async (_what, script, pseudo, text) => {
  const root = join(scratch.path, 'root');
  const made = await run('sh', ['-ec', `mkdir $D; ${script}`], {
    env: { D: root, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  expect(made.failure).toBe('');
  const path = join(scratch.path, 'root.squashfs');
  await squashfsOf(root, path, pseudo);
  const metadata = await tarOf([file('metadata.yaml', METADATA)]);
  const upload = splitUpload(['metadata', metadata], ['rootfs', await readFile(path)]);
  await expect(receive(await openImages(), upload)).rejects.toThrow(text);
});
