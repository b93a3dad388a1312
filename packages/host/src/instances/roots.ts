import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../base/sync-folder.ts';
import type { Image, ImageTemplate, Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import type { HostIds } from '../core/host-ids.ts';
import type { ImageDirectory } from '../images/image-directory.ts';

/** Whether an image, or an instance with a root from it, exists. @param fingerprint empty: no image */
export type IsNeeded = (fingerprint: string) => boolean;

/** Called with the progress in percent while an image is unpacked. */
export type UnpackProgress = (percent: number) => void;

/** Fingerprint of the image of an instance's root; empty for an instance that was made without an image. */
export const baseOf = (instance: Pick<Instance, 'config'>): string =>
  instance.config['volatile.base_image'] ?? '';

/** The range of ids in a folder's name: one number if uids and gids begin at the same one. */
const rangeOf = ({ uid, gid }: HostIds): string => (uid === gid ? `${uid}` : `${uid}+${gid}`);

/** `FINGERPRINT-RANGE`; with a suffix while the root is being made or removed. */
const ROOT_NAME = /^([0-9a-f]{64})-\d+(?:\+\d+)?(\..*)?$/;
/** Only the daemon reads the templates. */
const FILE_MODE = 0o600;
const REMOVED = '.removed';
/** `FINGERPRINT.templates`: the templates of an image, for instances that outlive it. */
const TEMPLATES_NAME = /^([0-9a-f]{64})\.templates(\..*)?$/;

/**
 * The unpacked root filesystems of images: one folder for each image and range of ids. It is the lower layer
 * of the overlay of all instances made from the image, and is never written to.
 */
export class Roots {
  readonly #folder: string;
  readonly #images: ImageDirectory;
  /** What is being made, by path: requests for the same root or file wait for the same work. */
  readonly #making = new Map<string, Promise<void>>();
  readonly #kept = new Set<string>();

  constructor(folder: string, images: ImageDirectory) {
    this.#folder = folder;
    this.#images = images;
  }

  /**
   * The root folder of an instance; unpacks it if necessary.
   * @throws CodedError image-not-found if it must be unpacked and its image is gone
   */
  async ensure(
    instance: Pick<Instance, 'config'>,
    ids: HostIds,
    image: (fingerprint: string) => Image | undefined,
    progress: UnpackProgress,
  ): Promise<string> {
    const fingerprint = baseOf(instance);
    const path = join(this.#folder, `${fingerprint || 'empty'}-${rangeOf(ids)}`);
    if (await exists(path)) return path;
    if (fingerprint === '') {
      await mkdir(path, { recursive: true });
      return path;
    }
    const found = image(fingerprint);
    if (!found) throw hostError('image-not-found');
    await this.#unpack(found, path, ids, progress);
    return path;
  }

  /** Stores the templates of an image for its instances; safe on disk when it settles. */
  async keepTemplates({ fingerprint, templates }: Image): Promise<void> {
    if (!templates) return;
    const path = this.#templatesPath(fingerprint);
    await this.#once(path, () => this.#write(path, JSON.stringify(templates)));
  }

  async #write(path: string, text: string): Promise<void> {
    const file = await open(`${path}.new`, 'w', FILE_MODE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    await syncFolder(this.#folder);
  }

  /** The templates of the image of an instance. */
  async templates(instance: Pick<Instance, 'config'>): Promise<readonly ImageTemplate[]> {
    const fingerprint = baseOf(instance);
    if (fingerprint === '') return [];
    try {
      return JSON.parse(await readFile(this.#templatesPath(fingerprint), 'utf8')) as ImageTemplate[];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  #templatesPath(fingerprint: string): string {
    return join(this.#folder, `${fingerprint}.templates`);
  }

  /** Keeps all present roots, since instances that this daemon does not know may use them. */
  async keepPresent(): Promise<void> {
    for (const entry of await readdir(this.#folder)) this.#kept.add(entry);
  }

  /** Removes the roots that no image and no instance needs, and those that a crash has left incomplete. */
  async sweep(isNeeded: IsNeeded): Promise<void> {
    for (const entry of await readdir(this.#folder)) {
      const [, base = '', rest = ''] = ROOT_NAME.exec(entry) ?? TEMPLATES_NAME.exec(entry) ?? [];
      // Checked for each entry, since images and instances can change during a removal.
      if (base === '' || this.#kept.has(entry) || (rest === '' && isNeeded(base))) continue;
      const path = join(this.#folder, entry);
      if (![...this.#making.keys()].some((going) => path.startsWith(going))) await remove(path);
    }
  }

  async #unpack(image: Image, path: string, ids: HostIds, progress: UnpackProgress): Promise<void> {
    const { signal } = new AbortController();
    await this.#once(path, () => this.#images.unpack(image, path, ids, progress, signal));
  }

  async #once(path: string, make: () => Promise<void>): Promise<void> {
    const going = this.#making.get(path);
    if (going) return going;
    const work = make();
    this.#making.set(path, work);
    try {
      await work;
    } finally {
      this.#making.delete(path);
    }
  }
}

/** Renames a root before it removes it, so that an incomplete one is never taken for a complete one. */
async function remove(path: string): Promise<void> {
  const going = path.endsWith(REMOVED) ? path : `${path}${REMOVED}`;
  if (going !== path) await rename(path, going);
  await rm(going, { recursive: true, force: true });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
