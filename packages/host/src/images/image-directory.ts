import { access, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { syncFolder } from '../base/sync-folder.ts';
import type { Image, ImageFiles, ImageTemplate } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import type { HostIds } from '../core/host-ids.ts';
import { formatOf } from './formats.ts';
import { DEFAULT_LIMITS, type ImageLimits } from './image-limits.ts';
import type { ImageMetadata } from './metadata.ts';
import { FILE_NAMES, storeUpload } from './stage.ts';
import { unpackRoot } from './unpack.ts';
import type { Upload } from './upload.ts';
import { verifyImage } from './verify.ts';

/** An image that has been received and checked, in its own folder; it has to be published or discarded. */
export interface StagedImage {
  readonly fingerprint: string;
  /** Bytes, all files together. */
  readonly size: number;
  readonly filename: string;
  readonly files: ImageFiles;
  readonly metadata: ImageMetadata;
  readonly templates: readonly ImageTemplate[];
  readonly directory: string;
}

export interface ReceiveOptions {
  /** Expected fingerprint; null: none. */
  readonly fingerprint: string | null;
  /** Gets the number of bytes that have come in so far. */
  onBytes(total: number): void;
  /** Called when all of it is on disk: the upload has ended, the check is still to come. */
  onStored(): void;
  /** Gets how much of it has been checked. */
  onChecked(percent: number): void;
  readonly signal: AbortSignal;
}

/** What is needed to find an image's files. */
export type FilesOfImage = Pick<Image, 'fingerprint' | 'files'>;

const STAGE_PREFIX = '.stage-';
/** Names that this class gives; others, such as lost+found, are left alone. */
const OWN_NAME = /^([0-9a-f]{64}|\.stage-.*)$/;

/**
 * The files of images on disk: `FINGERPRINT/` for each image, `.stage-XXXXXX/` for each upload in progress. A
 * folder of an image appears as a whole, and the record of the image is made after it: a folder without a
 * record at a start of the daemon is left from an end in between.
 */
export class ImageDirectory {
  /** Gets the files of an image that are on another host; null on a single host. */
  source: ((image: FilesOfImage) => Promise<void>) | null = null;
  readonly #dir: string;
  readonly #limits: ImageLimits;
  readonly #log: Log;

  constructor(dir: string, log: Log, limits: ImageLimits = DEFAULT_LIMITS) {
    this.#dir = dir;
    this.#log = log;
    this.#limits = limits;
  }

  /**
   * Renames all that is not a known image, so that it is not in the way of new ones; to be called before any
   * is received.
   * @param kept images that are not known, but stay
   * @returns the names that `sweep` is to remove
   */
  async takeAside(
    known: ReadonlySet<string>,
    kept: ReadonlySet<string> = new Set(),
  ): Promise<readonly string[]> {
    const entries = new Set(await readdir(this.#dir));
    for (const fingerprint of known) {
      if (!entries.has(fingerprint)) this.#log.error({ fingerprint }, 'image files are missing');
    }
    const aside: string[] = [];
    for (const entry of entries) {
      if (known.has(entry) || kept.has(entry) || !OWN_NAME.test(entry)) continue;
      const isStage = entry.startsWith(STAGE_PREFIX);
      const name = isStage ? entry : `${STAGE_PREFIX}left-${entry}`;
      if (!isStage) await rename(join(this.#dir, entry), join(this.#dir, name));
      aside.push(name);
    }
    return aside;
  }

  /** Removes what {@link takeAside} has returned. */
  async sweep(aside: readonly string[]): Promise<void> {
    for (const entry of aside) {
      this.#log.info({ entry }, 'removing leftover image files');
      await rm(join(this.#dir, entry), { recursive: true, force: true });
    }
  }

  /**
   * Stores an upload and checks all of it. Leaves nothing when it throws.
   * @throws CodedError image-invalid, image-too-large, fingerprint-mismatch; the signal's reason
   */
  async receive(upload: Upload, options: ReceiveOptions): Promise<StagedImage> {
    const directory = await mkdtemp(join(this.#dir, STAGE_PREFIX));
    try {
      const { signal, fingerprint: expected, onChecked: onProgress } = options;
      const stored = await storeUpload(upload, directory, { ...options, limits: this.#limits });
      if (expected !== null && expected.toLowerCase() !== stored.fingerprint) {
        throw hostError('fingerprint-mismatch', expected, stored.fingerprint);
      }
      options.onStored();
      const verified = await verifyImage(directory, upload.kind, {
        limits: this.#limits,
        signal,
        onProgress,
      });
      signal.throwIfAborted();
      return { ...stored, ...verified, directory };
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      this.#log.info({ reason: messageOf(error) }, 'image refused');
      throw error;
    }
  }

  /** Moves a staged image to its place; safe on disk when it settles. @throws CodedError image-exists */
  async publish(staged: StagedImage): Promise<void> {
    await syncFolder(staged.directory);
    try {
      await rename(staged.directory, join(this.#dir, staged.fingerprint));
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await this.discard(staged);
      throw hostError('image-exists');
    }
    await syncFolder(this.#dir);
  }

  /** Removes a staged image. */
  async discard(staged: StagedImage): Promise<void> {
    await rm(staged.directory, { recursive: true, force: true });
  }

  /** Removes an image's files; not an error if there are none. */
  async remove(fingerprint: string): Promise<void> {
    await rm(this.#folder(fingerprint), { recursive: true, force: true });
  }

  /** Paths of an image's files, metadata first when split. */
  paths({ fingerprint, files }: FilesOfImage): readonly string[] {
    const folder = this.#folder(fingerprint);
    if (files.kind === 'unified') return [join(folder, FILE_NAMES.unified)];
    return [join(folder, FILE_NAMES.metadata), join(folder, FILE_NAMES.rootfs)];
  }

  /** Makes sure that an image's files are here. @throws image-not-found, and what the source throws */
  async ensure(image: FilesOfImage): Promise<void> {
    const found = await Promise.all(this.paths(image).map(isThere));
    if (!found.includes(false)) return;
    if (!this.source) throw hostError('image-not-found');
    await this.source(image);
  }

  /**
   * Unpacks an image's root filesystem to the folder `target`, which appears as a whole. Files of uid and gid
   * 0 in the image belong to `ids` on the host (0: privileged). The parent of `target` must exist; if the
   * daemon ends in between, `TARGET.unpack-*` is left beside it.
   * @throws CodedError image-invalid, image-too-large, runtime-failed; the signal's reason
   */
  async unpack(
    image: FilesOfImage,
    target: string,
    ids: HostIds,
    onProgress: (percent: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { files } = image;
    const layout = files.kind === 'unified' ? 'unified' : 'rootfs';
    const path = this.paths(image).at(-1)!;
    const format = formatOf(files.kind === 'unified' ? files.extension : files.rootfsExtension);
    if (!format) throw hostError('image-not-found');
    await this.ensure(image);
    await unpackRoot({ path, format, layout, target, ids, limits: this.#limits, signal, onProgress });
  }

  #folder(fingerprint: string): string {
    if (!/^[0-9a-f]{64}$/.test(fingerprint)) throw hostError('image-not-found');
    return join(this.#dir, fingerprint);
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
