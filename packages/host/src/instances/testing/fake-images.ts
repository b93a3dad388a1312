import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { silentLog } from '../../base/log.ts';
import type { Image, ImageFiles, ImageTemplate, Instance } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import type { HostIds } from '../../core/host-ids.ts';
import { ImageDirectory, type ReceiveOptions, type StagedImage } from '../../images/image-directory.ts';
import type { Upload } from '../../images/upload.ts';
import { type IsNeeded, Roots, type UnpackProgress } from '../roots.ts';
import type { FakeMachine } from './fake-machine.ts';
import type { Life } from './life.ts';

const METADATA = {
  architecture: 'x86_64',
  createdAt: '2024-05-01T10:00:00.000Z',
  expiresAt: '1970-01-01T00:00:00Z',
  properties: { os: 'busybox' },
  templates: [],
};
const SPLIT: ImageFiles = { kind: 'split', metadataExtension: '.tar.xz', rootfsExtension: '.squashfs' };

/** Accepts any bytes as an image. Their files are kept in the folder, if there is one. */
export class FakeImages extends ImageDirectory {
  /** Fingerprints of published images. */
  readonly stored: Set<string>;
  /** Fingerprints of images that have been received but not published. */
  readonly staged: Set<string>;
  /** The parts of each received upload. */
  readonly uploads: { name: string; filename: string; size: number }[][] = [];
  uploadedBytes = 0;
  /** The templates of the images that are received from now on. */
  templates: readonly ImageTemplate[] = [];
  /** Awaited before each chunk of an upload is read; tests set it to be slow. */
  appetite: () => Promise<void> = async () => {};
  readonly #folder: string | null;
  readonly #machine: FakeMachine;
  readonly #life: Life;

  constructor(machine: FakeMachine, life: Life, folder: string | null = null) {
    super(folder ?? '', silentLog);
    this.#folder = folder;
    this.#machine = machine;
    this.#life = life;
    this.stored = machine.images;
    this.staged = machine.staged;
  }

  override async receive(upload: Upload, options: ReceiveOptions): Promise<StagedImage> {
    const received: { name: string; filename: string; bytes: Buffer }[] = [];
    const take = async (name: string, filename: string, data: Readable) => {
      received.push({ name, filename, bytes: await this.#read(data, options) });
    };
    if (upload.kind === 'unified') await take('', upload.filename, upload.data);
    else for await (const part of upload.parts) await take(part.name, part.filename, part.data);
    this.uploads.push(received.map(({ bytes, ...part }) => ({ ...part, size: bytes.length })));
    const bytes = Buffer.concat(received.map((each) => each.bytes));
    const fingerprint = createHash('sha256').update(bytes).digest('hex');
    if (options.fingerprint !== null && options.fingerprint !== fingerprint)
      throw hostError('fingerprint-mismatch', options.fingerprint, fingerprint);
    options.onStored();
    await this.#machine.faults.act(this.#life, 'verify', fingerprint, () => options.onChecked(100));
    options.signal.throwIfAborted();
    this.staged.add(fingerprint);
    await this.#write(
      fingerprint,
      received.map((each) => each.bytes),
    );
    const files: ImageFiles = received.length === 1 ? { kind: 'unified', extension: '.tar.gz' } : SPLIT;
    const filename = received[0]?.filename ?? '';
    return {
      fingerprint,
      size: bytes.length,
      filename,
      files,
      metadata: METADATA,
      templates: this.templates,
      directory: '',
    };
  }

  override publish({ fingerprint }: StagedImage): Promise<void> {
    return this.#machine.faults.act(this.#life, 'publish', fingerprint, () => {
      this.staged.delete(fingerprint);
      this.stored.add(fingerprint);
    });
  }

  override async discard({ fingerprint }: StagedImage): Promise<void> {
    this.staged.delete(fingerprint);
  }

  override remove(fingerprint: string): Promise<void> {
    return this.#machine.faults.act(
      this.#life,
      'removeImage',
      fingerprint,
      () => void this.stored.delete(fingerprint),
    );
  }

  override async takeAside(
    known: ReadonlySet<string>,
    kept: ReadonlySet<string> = new Set(),
  ): Promise<readonly string[]> {
    const left = [...this.stored].filter((fingerprint) => !known.has(fingerprint) && !kept.has(fingerprint));
    return [...this.staged, ...left];
  }

  override async sweep(aside: readonly string[]): Promise<void> {
    for (const fingerprint of aside) if (!this.staged.delete(fingerprint)) this.stored.delete(fingerprint);
  }

  override paths({ fingerprint, files }: Pick<Image, 'fingerprint' | 'files'>): readonly string[] {
    const count = files.kind === 'unified' ? 1 : 2;
    return Array.from({ length: count }, (_, index) => join(this.#folder ?? '', `${fingerprint}.${index}`));
  }

  async #write(fingerprint: string, parts: readonly Buffer[]): Promise<void> {
    if (this.#folder === null) return;
    await mkdir(this.#folder, { recursive: true });
    for (const [index, bytes] of parts.entries())
      await writeFile(join(this.#folder, `${fingerprint}.${index}`), bytes);
  }

  async #read(data: Readable, { signal, onBytes }: ReceiveOptions): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let total = 0;
    for await (const chunk of data) {
      await this.appetite();
      signal.throwIfAborted();
      this.uploadedBytes += chunk.length;
      total += chunk.length;
      onBytes(total);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}

/** Roots as names: "unpacked" with two steps of progress, removed if no image or instance needs them. */
export class FakeRoots extends Roots {
  readonly #machine: FakeMachine;
  readonly #life: Life;
  /** Whether no roots are removed any more. */
  kept = false;
  /** How often all roots were looked through. */
  sweeps = 0;

  constructor(machine: FakeMachine, life: Life, images: ImageDirectory) {
    super('', images);
    this.#machine = machine;
    this.#life = life;
  }

  override async ensure(
    { config }: Pick<Instance, 'config'>,
    { uid }: HostIds,
    image: (fingerprint: string) => Image | undefined,
    progress: UnpackProgress,
  ): Promise<string> {
    const base = config['volatile.base_image'] ?? '';
    const path = `${base || 'empty'}-${uid}`;
    if (this.#machine.roots.has(path)) return path;
    if (base !== '' && !image(base)) throw hostError('image-not-found');
    return this.#machine.faults.act(this.#life, 'unpack', base, () => {
      progress(50);
      progress(100);
      this.#machine.roots.add(path);
      return path;
    });
  }

  override async keepTemplates({ fingerprint, templates }: Image): Promise<void> {
    if (templates) this.#machine.templates.set(fingerprint, templates);
  }

  override async templates({ config }: Pick<Instance, 'config'>): Promise<readonly ImageTemplate[]> {
    return this.#machine.templates.get(config['volatile.base_image'] ?? '') ?? [];
  }

  override async keepPresent(): Promise<void> {
    this.kept = true;
  }

  override async sweep(isNeeded: IsNeeded): Promise<void> {
    this.sweeps++;
    if (this.kept) return;
    for (const path of this.#machine.roots) {
      const base = path.slice(0, path.lastIndexOf('-'));
      if (base !== 'empty' && !isNeeded(base)) this.#machine.roots.delete(path);
    }
  }
}
