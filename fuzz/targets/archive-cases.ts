import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { type Entry, METADATA, tarOf } from '../../packages/host/src/images/testing/archives.ts';
import { mutateBytes } from '../mutate.ts';
import type { Random } from '../random.ts';
import type { Case } from '../target.ts';

const BLOCK = 512;
const CHECKSUM = { at: 148, end: 156 };
const UNZIPPED_MAX = 256 * 1024;
const MTIME = new Date(0);

const NAMES = [
  ...[
    'rootfs/etc/hostname',
    'rootfs/a',
    'rootfs/a/b',
    'rootfs/',
    'rootfs',
    'rootfs/dev/null',
    'rootfs/../x',
    '../x',
  ],
  ...[
    '/etc/x',
    'metadata.yaml',
    './metadata.yaml',
    'rootfs/./a',
    'rootfs//a',
    'rootfs/.',
    '.',
    '',
    'templates/x',
  ],
  ...[
    'rootfs/\xc3\xbc',
    'rootfs/\xff',
    `rootfs/${'n'.repeat(255)}`,
    `rootfs/${'d/'.repeat(60)}f`,
    'rootfs/a\\b',
    'rootfs/-x',
  ],
  ...['/rootfs/a', '//rootfs/./a/b', '/../x', 'rootfs/a/', 'rootfs/a/b/c'],
];
const TARGETS = [
  '/',
  '..',
  '../..',
  'a',
  'rootfs/a',
  '/rootfs/a',
  '/rootfs/a/b',
  '/etc/passwd',
  'rootfs/etc/hostname',
  '../../../../escaped',
  '',
];
const TYPES = [
  'file',
  'file',
  'file',
  'directory',
  'symlink',
  'link',
  'character-device',
  'block-device',
  'fifo',
] as const;
const METADATAS = [
  METADATA,
  'architecture: x86_64\ncreation_date: 1\nexpiry_date: 2\nproperties: {os: a, release: 22.10}\n',
  'architecture: armhf\ncreation_date: 99999999999\n',
  '&a [*a]',
  'a: &a [x]\nb: [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n',
  '? !!binary x\n: {__proto__: {architecture: amd64}}\n',
  '%YAML 1.1\n---\narchitecture: amd64\ncreation_date: 1\n--- \nb: c\n',
  '',
];
const PAX = [
  { path: 'rootfs/p' },
  { path: '../p' },
  { size: '1' },
  { uid: '1000' },
  { linkpath: '/etc' },
  { mtime: '-1.5' },
];
const PAX_ODD = [
  { 'SCHILY.xattr.user.x': 'y' },
  { 'SCHILY.xattr.security.capability': '\u0001' },
  { 'GNU.sparse.major': '1' },
  { 'GNU.sparse.size': '9000', 'GNU.sparse.map': '0,0,4096,1' },
  { 'GNU.sparse.size': '9223372036854775807', 'GNU.sparse.map': '' },
];
/** Maps of sparse files of version 1.0, before their content. */
const MAPS = ['1\n0\n5\n', '2\n0\n1\n4096\n4\n', '0\n', '1\n99999999999999999\n5\n', '3\n5\n0\n', '1'];
const MODES = [0o644, 0o755, 0o4755, 0o7777, 0];
const IDS = [0, 0, 0, 1000, 65_535, 65_536, -1];

/** Makes a new archive, or changes one of the corpus. */
export async function archiveBytes(random: Random, corpus: readonly Case[]): Promise<Buffer> {
  const old = random.pick(corpus)?.bytes;
  const fresh = old === undefined || random.percent(35);
  const archive = fresh ? await newArchive(random) : changed(old, random, random.pick(corpus)!.bytes);
  if (!isTar(archive)) return archive;
  if (random.percent(20)) return gzipSync(archive);
  return random.percent(10) ? zstdCompressSync(archive) : archive;
}

/** The metadata of an image whose root filesystem is a separate file. */
export const metadataArchive = () => tarOf([file('metadata.yaml', METADATA)]);

async function newArchive(random: Random): Promise<Buffer> {
  const text = random.pick(METADATAS);
  const metadata = random.percent(40) ? mutateBytes(Buffer.from(text), random, Buffer.from(text)) : text;
  const entries = Array.from({ length: random.below(6) }, () => entry(random));
  const own = random.percent(95) ? [file('metadata.yaml', metadata)] : [];
  const root: Entry = { name: 'rootfs/', type: 'directory', mode: 0o755, mtime: MTIME };
  return tarOf([...own, ...(random.percent(90) ? [root] : []), ...entries]);
}

const file = (name: string, content: string | Buffer): Entry => ({
  name,
  type: 'file',
  content,
  mtime: MTIME,
});

function entry(random: Random): Entry {
  if (random.percent(10)) return sparseEntry(random);
  const type = random.pick(TYPES);
  const pax = random.percent(20) ? random.pick([...PAX, ...PAX_ODD]) : undefined;
  return {
    name: random.pick(NAMES),
    type,
    mtime: MTIME,
    mode: random.pick(MODES),
    uid: Math.max(0, random.pick(IDS)),
    gid: Math.max(0, random.pick(IDS)),
    content: 'x'.repeat(random.short(1500)),
    ...(type === 'symlink' || type === 'link' ? { linkname: random.pick(TARGETS) } : {}),
    ...(type.endsWith('device') ? { devmajor: 1, devminor: random.pick([3, 5, 8]) } : {}),
    ...(pax && { pax: pax as Record<string, string> }),
  } as Entry;
}

function sparseEntry(random: Random): Entry {
  const version = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' };
  const size = { 'GNU.sparse.realsize': random.pick(['9000', '5', '0', '2000000', '9223372036854775808']) };
  const name = random.percent(60) ? { 'GNU.sparse.name': random.pick(NAMES) } : {};
  const made = file(random.pick(NAMES), `${random.pick(MAPS).padEnd(BLOCK, '\0')}12345`);
  return { ...made, pax: { ...version, ...size, ...name } as Record<string, string> };
}

/** Changes bytes, mostly inside the gzip compression; mostly makes the checksums of tar headers fit again. */
function changed(bytes: Buffer, random: Random, other: Buffer): Buffer {
  const inside = random.percent(85) ? unzipped(bytes) : bytes;
  const mutated = mutateBytes(inside, random, unzipped(other));
  return isTar(inside) && random.percent(80) ? withChecksums(mutated) : Buffer.from(mutated);
}

function unzipped(bytes: Buffer): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: UNZIPPED_MAX });
  } catch {
    return bytes;
  }
}

/** Headers of Unix version 7 have no magic, only a checksum. */
function isTar(bytes: Buffer): boolean {
  const checksum = bytes.subarray(CHECKSUM.at, CHECKSUM.end).toString('latin1');
  return bytes.subarray(257, 262).toString('latin1') === 'ustar' || /^ ?[0-7]{5,6}[\0 ]/.test(checksum);
}

/** Every block that looks like a header gets the checksum of its bytes. */
function withChecksums(bytes: Buffer): Buffer {
  const tar = Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
  for (let at = 0; at < tar.length; at += BLOCK) {
    const block = tar.subarray(at, at + BLOCK);
    if (!isTar(block)) continue;
    block.fill(0x20, CHECKSUM.at, CHECKSUM.end);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM.at, 'latin1');
  }
  return tar;
}
