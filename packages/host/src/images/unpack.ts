import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../base/coded-error.ts';
import { hostError } from '../core/host-errors.ts';
import type { HostIds } from '../core/host-ids.ts';
import { filter } from '../process/filter.ts';
import { run } from '../process/run.ts';
import { cleanTar, EntryReplaced } from './clean-tar.ts';
import { decompress } from './decompress.ts';
import type { Format } from './formats.ts';
import type { ImageLimits } from './image-limits.ts';
import { type LastEntries, lastEntries } from './last-entries.ts';
import { asInstanceRoot } from './sandbox.ts';
import { unpackSquashfs } from './squashfs.ts';

/** The file that holds a root filesystem, and where to unpack it. */
export interface UnpackJob {
  readonly path: string;
  readonly format: Format;
  readonly layout: 'unified' | 'rootfs';
  /** The folder to make; its parent exists. */
  readonly target: string;
  /** Host ids of the image's uid and gid 0. */
  readonly ids: HostIds;
  readonly limits: ImageLimits;
  readonly signal: AbortSignal;
  onProgress(percent: number): void;
}

/** Every user of the instance must be able to enter its root. */
const ROOT_MODE = 0o755;

const SUFFIX_BYTES = 6;

/** Owners and permissions are kept, as by default for root. GNU tar makes links that lead outside last. */
const TAR = ['tar', '--extract', '--file=-', '--numeric-owner', '--same-owner', '--preserve-permissions'];
const TAR_XATTRS = ['--xattrs', '--xattrs-include=*', '--delay-directory-restore', '--warning=no-timestamp'];

/**
 * Unpacks a root filesystem beside its target (`TARGET.unpack-SUFFIX`), writes it out to the disk and then
 * renames it: the target exists as a whole or not at all.
 * @throws CodedError image-invalid, image-too-large, runtime-failed; nothing is left then
 */
export async function unpackRoot(job: UnpackJob): Promise<void> {
  const work = `${job.target}.unpack-${randomBytes(SUFFIX_BYTES).toString('hex')}`;
  await mkdir(work, { mode: ROOT_MODE });
  try {
    await chown(work, job.ids.uid, job.ids.gid);
    if (job.format === 'squashfs') await unpackSquashfs(job.path, work, job);
    else await unpackTar(job, work);
    await chmod(work, ROOT_MODE);
    await chown(work, job.ids.uid, job.ids.gid);
    const synced = await run('sync', ['--file-system', work]);
    if (!synced.ok) throw hostError('runtime-failed', synced.failure);
    job.signal.throwIfAborted();
    await rename(work, job.target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  job.onProgress(100);
}

async function unpackTar(wanted: UnpackJob, work: string): Promise<void> {
  let most = 0;
  const onProgress = (percent: number) => {
    most = Math.max(most, percent);
    wanted.onProgress(most);
  };
  const job = { ...wanted, onProgress };
  try {
    await extractTar(job, work);
  } catch (error) {
    if (!(error instanceof EntryReplaced)) throw error;
    await unpackLast(job, work);
  }
}

/** Unpacks an archive in which entries replace others: looks at all of it first, then makes each path once. */
async function unpackLast(job: UnpackJob, work: string): Promise<void> {
  for (const name of await readdir(work)) await rm(join(work, name), { recursive: true, force: true });
  const chunks = decompress(job.path, job.format, { signal: job.signal });
  await extractTar(job, work, await lastEntries(chunks, job.layout, job.limits));
}

async function extractTar(job: UnpackJob, work: string, last?: LastEntries): Promise<void> {
  const { size } = await stat(job.path);
  const onRead = (total: number) => job.onProgress(Math.min(99, Math.floor((total / size) * 100)));
  const chunks = decompress(job.path, job.format, { signal: job.signal, onRead });
  const clean = cleanTar(chunks, job.layout, job.limits, last);
  const [command, ...args] = asInstanceRoot(job.ids, [...TAR, ...TAR_XATTRS, `--directory=${work}`]);
  const child = filter(command, args, { signal: job.signal });
  child.output.resume();
  const fed = await pipeline(Readable.from(clean, { objectMode: false }), child.input).then(
    () => null,
    (error: NodeJS.ErrnoException) => error,
  );
  if (fed) child.kill();
  const { ok, failure } = await child.ended;
  job.signal.throwIfAborted();
  if (fed && fed.code !== 'EPIPE') throw fed;
  if (!ok) throw hostError('runtime-failed', `Cannot unpack the image: ${failure || messageOf(fed)}`);
}
