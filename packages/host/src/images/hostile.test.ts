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
  ['an absolute name that climbs', 'a name with "..": "/../etc"', [file('/../etc')]],
  ['a name that climbs', 'a name with "..": "rootfs/../../etc"', [file('rootfs/../../etc')]],
  ['a name that climbs back', 'a name with ".."', [file('rootfs/etc/../hosts')]],
  [
    'a name through a link',
    'below "rootfs/out", which is no dir',
    [symlink('rootfs/out', '/'), file('rootfs/out/x')],
  ],
  ['a name through a harmless link', 'is no directory', [symlink('rootfs/lib', 'usr'), file('rootfs/lib/x')]],
  ['a name through a file', 'is no directory', [file('rootfs/f'), folder('rootfs/f/g')]],
  [
    'a name through a link that has replaced a folder',
    'is no directory',
    [file('rootfs/a/b'), symlink('rootfs/a', '/'), file('rootfs/a/b')],
  ],
  [
    'a name through a link to a link',
    'is no directory',
    [symlink('rootfs/a', '/'), hardlink('rootfs/b', 'rootfs/a'), file('rootfs/b/etc')],
  ],
  [
    'a hard link to a file of a folder that is replaced',
    'no file before it',
    [file('rootfs/a/b'), file('rootfs/a'), folder('rootfs/a'), hardlink('rootfs/x', 'rootfs/a/b')],
  ],
  [
    'a hard link in place of the folder of its file',
    'which it would replace',
    [file('rootfs/a/b'), hardlink('rootfs/a', 'rootfs/a/b')],
  ],
  [
    'a link in place of the root',
    '"/rootfs" must be a directory',
    [folder('rootfs'), symlink('/rootfs', '/')],
  ],
  ['a file in place of the top', '"./" must be a directory', [symlink('./', '/')]],
  ['too many entries at one place', 'more than 50 files', Array(60).fill(file('rootfs/x'))],
  ['a hard link out', 'no file before it', [hardlink('rootfs/x', '/etc/shadow')]],
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
  ['another name in an extended header', 'a name with ".."', [pax({ path: '/../etc/passwd' })]],
  ['another name of a sparse file', 'a name with ".."', [pax({ 'GNU.sparse.name': '../x' })]],
  ['a NUL in a name', 'a NUL', [pax({ path: 'rootfs/a\0b' })]],
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
  ['an empty name', 'a name is empty', (header) => header.fill(0, 0, 100)],
  ["GNU tar's sparse kind in a header of POSIX", 'unknown kind "S"', (header) => header.write('S', 156)],
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

const sparse = (map: Record<string, string>, content = '') =>
  file('rootfs/GNUSparseFile.1/s', content, {
    pax: Object.fromEntries(Object.entries(map).map(([key, value]) => [`GNU.sparse.${key}`, value])),
  });
const V1 = { major: '1', minor: '0', name: 'rootfs/s' };
const padded = (text: string) => text.padEnd(Math.ceil(text.length / 512) * 512, '\0');

it.each<[what: string, text: string, entry: Entry]>([
  ['a hole beyond the limit', 'bytes when unpacked', sparse({ size: '20000000', map: '' })],
  ['a hole of 8 EiB', 'has the GNU.sparse.size', sparse({ size: '9223372036854775808', map: '' })],
  [
    'a hole of 8 EiB, version 1.0',
    'has the GNU.sparse.realsize',
    sparse({ ...V1, realsize: '9223372036854775808' }, padded('0\n')),
  ],
  ['an offset of 8 EiB', 'has the number', sparse({ size: '9', map: '9223372036854775808,0' })],
  ['a region beyond the end', 'has the region 5+5', sparse({ size: '9', map: '5,5' }, '12345')],
  ['regions that overlap', 'has the region 3+4', sparse({ size: '9', map: '0,4,3,4' }, '12345678')],
  ['regions in another order', 'has the region 0+1', sparse({ size: '9', map: '4,1,0,1' }, '12')],
  ['half a region', 'is malformed', sparse({ size: '9', map: '1' }, '1')],
  ['offsets without lengths', 'is malformed', sparse({ size: '9', offset: '1' })],
  ['more content than regions', 'its map needs 1', sparse({ size: '9', map: '0,1' }, '12')],
  ['less content than regions', 'its map needs 5', sparse({ size: '9', map: '0,5' }, '12')],
  ['letters in a map', 'has the number "0x1"', sparse({ size: '9', map: '0x1,1' }, '1')],
  ['a map without a size', 'has no size', sparse({ map: '0,1' }, '1')],
  ['another version', 'version "2.0" are not supported', sparse({ ...V1, major: '2' })],
  ['a map longer than its file', 'its map needs', sparse({ ...V1, realsize: '9' }, padded('1\n0\n9\n'))],
  [
    'a map without an end',
    'the map of a sparse file is too long',
    sparse({ ...V1, realsize: '9' }, `999999\n${'0\n'.repeat(4000)}`),
  ],
  ['a number without an end', 'is too long', sparse({ ...V1, realsize: '9' }, '1'.repeat(3000))],
  ['a sparse folder', 'is sparse, but no file', folder('rootfs/s', { pax: { 'GNU.sparse.size': '1' } })],
])('refuses a sparse file with %s', async (_what, text, entry) => {
  expect(await refusal(await tarOf(unified(entry)))).toContain(text);
});

it('refuses many holes that are too large together', async () => {
  const holes = Array.from({ length: 12 }, () => sparse({ size: '1000000', map: '' }));
  expect(await refusal(await tarOf(unified(...holes)))).toContain('bytes when unpacked');
  expect(await refusal(await tarOf(unified(...holes.slice(0, 9))))).toBe('accepted');
});

it('refuses an old GNU map without an end', async () => {
  const header = (bytes: Buffer) => {
    bytes.write('ustar  \0', 257);
    bytes.fill('0', 386, 482).write('S', 156);
    bytes.fill('0', 483, 495).write('1', 482);
  };
  const more = Buffer.alloc(512 * 20);
  for (let at = 504; at < more.length; at += 512) more[at] = 1;
  const [first, rest] = [patched(await plain(), 0, header).subarray(0, 512), await plain()];
  const tar = Buffer.concat([first, more, rest.subarray(512)]);
  expect(await refusal(tar)).toContain('the map of a sparse file is too long');
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
