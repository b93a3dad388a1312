import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hostError } from '../../core/host-errors.ts';
import type { InsideOwner } from '../../native/mount.ts';
import { run } from '../../process/run.ts';
import type { InstancePaths } from './paths.ts';
import { makeImage } from './root-image.ts';

// Making a file system waits for the disk several times; copying an empty one does not. So an empty image is made once
// for each size and owner, and then copied. It has never been mounted.

/** Maximum number of empty images: each takes up to a few MiB, and most hosts use only a few sizes. */
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
 * Makes an instance's new, empty image. The first mount syncs it to the disk.
 * @throws CodedError root-failed
 */
export async function makeFresh({ folder, newImage }: InstancePaths, wanted: Wanted): Promise<void> {
  const { bytes, owner, content } = wanted;
  const kept = join(dirname(folder), 'empty-images');
  const empty = join(kept, `${bytes}-${owner.uid}-${owner.gid}.img`);
  if (await copySparse(empty, newImage)) return;
  await makeImage(newImage, bytes, content);
  await keep(newImage, empty, kept, join(folder, 'empty.img'));
}

/** Keeps a copy for later instances. @throws CodedError root-failed */
async function keep(image: string, empty: string, kept: string, part: string): Promise<void> {
  try {
    await mkdir(kept, { recursive: true, mode: PRIVATE });
    if (await copySparse(image, part)) await rename(part, empty);
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

/** @returns false if there is nothing to copy @throws CodedError root-failed */
async function copySparse(from: string, to: string): Promise<boolean> {
  if ((await stat(from).catch(() => null)) === null) return false;
  const args = ['--sparse=always', '--reflink=auto', '--', from, to];
  const { ok, failure } = await run('cp', args, { timeoutMs: TIMEOUT_MS, cwd: '/' });
  if (!ok) throw hostError('root-failed', failure);
  return true;
}
