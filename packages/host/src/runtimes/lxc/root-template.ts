import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InsideOwner } from '../../native/mount.ts';
import { run } from '../../process/run.ts';
import type { InstancePaths } from './paths.ts';
import { makeImage, syncFile } from './root-image.ts';

// To make a file system waits for the disk several times. A copy of one that is empty does not, so it is made once for
// each size and owner. It has never been mounted.

/** Empty images that are kept: one takes up to a few MiB, and most hosts use a few sizes. */
const KEPT_MAX = 8;
const PRIVATE = 0o700;
const TIMEOUT_MS = 60_000;

/** What an empty image is for. */
export interface Wanted {
  readonly bytes: number;
  readonly owner: InsideOwner;
  /** Folder with the empty folders of its file system. */
  readonly content: string;
}

/**
 * Makes an instance's new image, which nobody has written to. The first mount brings it to the disk.
 * @throws CodedError root-failed
 */
export async function makeFresh({ folder, newImage }: InstancePaths, wanted: Wanted): Promise<void> {
  const { bytes, owner, content } = wanted;
  const kept = join(dirname(folder), 'empty-images');
  const empty = join(kept, `${bytes}-${owner.uid}-${owner.gid}.img`);
  // It may have been forgotten meanwhile.
  if (await copySparse(empty, newImage)) return;
  await makeImage(newImage, bytes, content);
  // Later instances can do without a copy: a full disk does not keep this one from starting.
  await keep(newImage, empty, kept, join(folder, 'empty.img')).catch(() => {});
}

/** Keeps a copy for later instances. It is on the disk before it has its name: after a power failure it would be used. */
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
