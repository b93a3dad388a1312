import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { METADATA } from '../../src/images/testing/archives.ts';
import { run } from '../../src/process/run.ts';

/** What an archive's format can hold of a root filesystem: each has all that those before it have. */
export type Tree = 'short' | 'plain' | 'long' | 'full';

/** A way to make an archive of the current folder, which has metadata.yaml and rootfs/ in it. */
export interface Habit {
  readonly name: string;
  readonly tree: Tree;
  /** A script of the shell that writes the archive to $OUT. */
  readonly script: string;
  /** Folders have no entries of their own: owners and modes of folders are not kept. */
  readonly filesOnly?: boolean;
  /** Holes are kept. */
  readonly sparse?: boolean;
  /** Tried by `npm run test:long` only: others cover most of it. */
  readonly rare?: boolean;
}

const GNU = 'tar --create --file "$OUT" --numeric-owner';
const BSD = 'bsdtar --create --file "$OUT" --numeric-owner';
const XATTRS = "--xattrs --xattrs-include='*'";
const BOTH = 'metadata.yaml rootfs';
/** All paths, files before the folders that they are in. */
const BACKWARDS = 'find metadata.yaml rootfs -depth -print0 | LC_ALL=C sort -zr';

const python = (format: string, more = '') =>
  `python3 -c 'import tarfile as t, os
a = t.open(os.environ["OUT"], "w", format=t.${format}${more})
a.add("metadata.yaml"); a.add("rootfs")
a.close()'`;

/** How programs that are about make archives. */
export const HABITS: readonly Habit[] = [
  { name: 'GNU tar, v7', tree: 'short', script: `${GNU} --format=v7 ${BOTH}` },
  { name: 'GNU tar, ustar', rare: true, tree: 'plain', script: `${GNU} --format=ustar ${BOTH}` },
  { name: 'GNU tar, old GNU', rare: true, tree: 'long', script: `${GNU} --format=oldgnu ${BOTH}` },
  {
    name: 'GNU tar, GNU, with a label',
    rare: true,
    tree: 'long',
    script: `${GNU} --format=gnu --label=L ${BOTH}`,
  },
  { name: 'GNU tar, pax', rare: true, tree: 'full', script: `${GNU} --format=pax ${XATTRS} ${BOTH}` },
  { name: 'GNU tar, ./ before names', rare: true, tree: 'long', script: `${GNU} .` },
  {
    name: 'GNU tar, absolute names',
    rare: true,
    tree: 'long',
    script: `${GNU} --absolute-names --transform 's,^,/,rhS' ${BOTH}`,
  },
  {
    name: 'GNU tar, absolute names, pax',
    tree: 'full',
    script: `${GNU} --absolute-names --format=pax ${XATTRS} --transform 's,^,//./,rhS' ${BOTH}`,
  },
  ...['oldgnu', 'gnu'].map((format) => ({
    name: `GNU tar, sparse, ${format}`,
    tree: 'long' as const,
    script: `${GNU} --sparse --format=${format} ${BOTH}`,
    sparse: true,
    rare: format === 'gnu',
  })),
  ...['0.0', '0.1', '1.0'].map((version) => ({
    name: `GNU tar, sparse, pax ${version}`,
    tree: 'full' as const,
    script: `${GNU} --sparse --format=pax --sparse-version=${version} ${XATTRS} ${BOTH}`,
    sparse: true,
    rare: version === '0.1',
  })),
  {
    name: 'GNU tar, global headers',
    rare: true,
    tree: 'full',
    script: `${GNU} --format=pax ${XATTRS} --pax-option=comment=c,gname=g,mtime=1 ${BOTH}`,
  },
  {
    name: 'GNU tar, an incremental backup',
    tree: 'long',
    script: `${GNU} --listed-incremental="$OUT.list" ${BOTH}`,
  },
  {
    name: 'GNU tar, files before their folders',
    tree: 'full',
    script: `${BACKWARDS} | ${GNU} --format=pax ${XATTRS} --null --no-recursion --files-from=-`,
  },
  {
    name: 'GNU tar, no folders',
    tree: 'long',
    script: `find ${BOTH} -not -type d -print0 | ${GNU} --null --files-from=-`,
    filesOnly: true,
  },
  {
    name: 'GNU tar, all of it twice',
    tree: 'full',
    script: `${GNU} --format=pax ${XATTRS} ${BOTH} && tar --append --file "$OUT" --format=pax ${XATTRS} ${BOTH}`,
  },
  { name: 'bsdtar, v7', rare: true, tree: 'short', script: `${BSD} --format=v7 ${BOTH}` },
  { name: 'bsdtar, ustar', tree: 'plain', script: `${BSD} --format=ustar ${BOTH}` },
  { name: 'bsdtar, GNU', rare: true, tree: 'long', script: `${BSD} --format=gnutar ${BOTH}` },
  { name: 'bsdtar, pax', rare: true, tree: 'full', script: `${BSD} --format=pax ${BOTH}`, sparse: true },
  {
    name: 'bsdtar, restricted pax',
    tree: 'full',
    script: `${BSD} -P --format=paxr ./metadata.yaml .//rootfs`,
    sparse: true,
  },
  { name: 'tarfile of Python, ustar', rare: true, tree: 'plain', script: python('USTAR_FORMAT') },
  { name: 'tarfile of Python, GNU', rare: true, tree: 'long', script: python('GNU_FORMAT') },
  {
    name: 'tarfile of Python, pax with a global header',
    tree: 'long',
    script: python('PAX_FORMAT', ', pax_headers={"comment": "\\u00fc", "uname": "root"}'),
  },
  { name: 'busybox', tree: 'long', script: `busybox tar -c -f "$OUT" ${BOTH}` },
];

const SHORT = `
mkdir -p rootfs/etc rootfs/usr/bin rootfs/srv/closed rootfs/home/me rootfs/run
echo tiny > rootfs/etc/hostname
: > rootfs/etc/empty
echo su > rootfs/usr/bin/su; chmod 4755 rootfs/usr/bin/su
ln -s usr/bin rootfs/bin; ln -s /proc/self/mounts rootfs/etc/mtab; ln -s ../../../x rootfs/etc/up
echo closed > rootfs/srv/closed/file; chmod 555 rootfs/srv/closed
ln rootfs/usr/bin/su rootfs/etc/hard; ln rootfs/srv/closed/file rootfs/usr/bin/hard
chown -R 1000:1001 rootfs/home/me; chmod 2770 rootfs/home/me
chown -h 12:34 rootfs/etc/mtab
`;

/** ustar has room for 100 characters of a name and 155 of its folder, and for devices and fifos. */
const PLAIN = `
mkfifo rootfs/run/fifo; chmod 622 rootfs/run/fifo
chown 65535:65534 rootfs/etc/empty
d=rootfs/$(printf 'folder%020d/' 1 2 3 4); mkdir -p $d; echo ustar > $d/$(printf '%090d' 0)
`;

const LONG = `
d=rootfs/$(printf 'deep%020d/' 1 2 3 4 5 6 7 8 9 10 11 12); mkdir -p $d; echo long > $d/$(printf '%0200d' 0)
ln $d/$(printf '%0200d' 0) rootfs/etc/hard-to-long
ln -s /$(printf 'to%020d/' 1 2 3 4 5 6 7 8 9) rootfs/etc/long-link
echo utf8 > rootfs/etc/ünï; echo latin1 > "$(printf 'rootfs/etc/n\\344me')"; echo nl > "$(printf 'rootfs/etc/a\\nb=c d')"
# Holes at the start, in between and at the end: more of them than an old GNU header and one block have room for.
for i in $(seq 1 60); do echo "part $i" | dd of=rootfs/srv/holes bs=1 seek=$((i * 16384)) conv=notrunc status=none; done
truncate -s 1M rootfs/srv/holes
truncate -s 300K rootfs/srv/only-a-hole
`;

/** cap_net_raw+ep of version 2, as setcap writes it. */
const FULL = `
setfattr -n user.note -v 'two words' rootfs/etc/hostname
setfattr -n user.empty -v '' rootfs/etc/hostname
setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 rootfs/usr/bin/su
`;

const TREES: Readonly<Record<Tree, string>> = {
  short: SHORT,
  plain: SHORT + PLAIN,
  long: SHORT + PLAIN + LONG,
  full: SHORT + PLAIN + LONG + FULL,
};

/** Makes metadata.yaml and rootfs/ in a new folder below `parent`. @returns its path */
export async function makeTree(parent: string, tree: Tree): Promise<string> {
  const folder = join(parent, tree);
  await mkdir(folder);
  await writeFile(join(folder, 'metadata.yaml'), METADATA);
  await sh(TREES[tree], folder);
  return folder;
}

/** Makes an archive of the folder at `from`, by a habit. */
export async function makeArchive({ script }: Habit, from: string, to: string): Promise<void> {
  await sh(script, from, { OUT: to });
}

async function sh(script: string, cwd: string, env: Record<string, string> = {}): Promise<void> {
  const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
  const done = await run('sh', ['-ec', script], { cwd, env: { PATH, LC_ALL: 'C.UTF-8', ...env } });
  if (!done.ok) throw new Error(`${done.failure}\n${done.stderr}`);
}
