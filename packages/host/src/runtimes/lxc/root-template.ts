import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InsideOwner } from '../../native/mount.ts';
import { run } from '../../process/run.ts';
import type { InstancePaths } from './paths.ts';
import { makeImage, syncFile } from './root-image.ts';
import { copyLittle } from './sparse-copy.ts';

// Making a file system waits for the disk several times; copying an empty one does not. So an empty image is made once
// for each size and owner, and then copied. It has never been mounted.

/** Maximum number of empty images: each takes up to a few MiB, and most hosts use only a few sizes. */
const KEPT_MAX = 8;
const PRIVATE = 0o700;
/** Empty images with more data than this are copied by cp(1), also those on file systems without holes. */
const DATA_MAX = 4 * 2 ** 20;
const TIMEOUT_MS = 60_000;

/** What an empty image is for. */
export interface Wanted {
  readonly bytes: number;
  readonly owner: InsideOwner;
}

/**
 * Makes an instance's new image a copy of an empty one that is kept. The first mount syncs it to the disk.
 * @returns false if there is none, or it cannot be copied; a part may be there then
 */
export async function copyKept(paths: InstancePaths, wanted: Wanted): Promise<boolean> {
  const { empty } = keptFor(paths, wanted);
  // The empty image may be removed before it is copied.
  return (
    (await copyLittle(empty, paths.newImage, DATA_MAX).catch(() => false)) ||
    copySparse(empty, paths.newImage)
  );
}

/**
 * Makes an instance's new, empty image, and keeps a copy for later instances. The first mount syncs it to the disk.
 * @param content folder with the empty folders of its file system @throws CodedError root-failed
 */
export async function makeFresh(paths: InstancePaths, wanted: Wanted, content: string): Promise<void> {
  await makeImage(paths.newImage, wanted.bytes, content);
  const { empty, kept } = keptFor(paths, wanted);
  // If there is no copy for later instances, for example on a full disk, this instance starts nevertheless.
  await keep(paths.newImage, empty, kept, join(paths.folder, 'empty.img')).catch(() => {});
}

function keptFor({ folder }: InstancePaths, { bytes, owner }: Wanted) {
  const kept = join(dirname(folder), 'empty-images');
  return { kept, empty: join(kept, `${bytes}-${owner.uid}-${owner.gid}.img`) };
}

/** Keeps a copy for later instances. It is synced before it gets its name, because it is used after a power failure. */
async function keep(image: string, empty: string, kept: string, part: string): Promise<void> {
  try {
    await mkdir(kept, { recursive: true, mode: PRIVATE });
    if (!(await copySparse(image, part))) return;
    await syncFile(part);
    await rename(part, empty);
    await forgetOldest(kept);
  } finally {
    await rm(part, { force: true });
  }
}

async function forgetOldest(kept: string): Promise<void> {
  const paths = (await readdir(kept)).map((name) => join(kept, name));
  const ages = await Promise.all(paths.map(async (path) => ({ path, made: (await stat(path)).mtimeMs })));
  ages.sort((one, other) => other.made - one.made);
  for (const { path } of ages.slice(KEPT_MAX)) await rm(path, { force: true });
}

/** @returns whether all is copied; if not, a part may be there */
async function copySparse(from: string, to: string): Promise<boolean> {
  if ((await stat(from).catch(() => null)) === null) return false;
  // A copy that outlives its daemon would write into the file of the next one.
  const copy = ['--pdeathsig=KILL', '--', 'cp', '--sparse=always', '--reflink=auto', '--', from, to];
  return (await run('setpriv', copy, { timeoutMs: TIMEOUT_MS, cwd: '/' })).ok;
}
