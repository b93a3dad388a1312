import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { hostError } from '../../core/errors.ts';
import type { Alias, Image } from '../../core/model.ts';
import type { Upload } from '../../images/upload.ts';
import type { ImageFields, ImageInfo, UploadOptions } from '../../library/requests.ts';
import type { Operation } from '../../model/operation.ts';
import type { Precondition } from '../../model/precondition.ts';
import type { ImageCases } from '../backend.ts';
import type { FakeOperations } from './fake-operations.ts';

const NOW = '2024-05-01T10:00:00.000Z';

/** Images in memory, their files in a folder. */
export class FakeImages implements ImageCases {
  readonly #images = new Map<string, Image>();
  readonly #aliases = new Map<string, Alias>();
  readonly #operations: FakeOperations;
  readonly #folder: string;
  /** Waits before each chunk of an upload is taken; a test's way to be slow. */
  appetite: () => Promise<void> = async () => {};
  uploadedBytes = 0;
  uploads: { options: UploadOptions; parts: { name: string; filename: string; size: number }[] }[] = [];

  constructor(operations: FakeOperations, folder: string) {
    this.#operations = operations;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  list(): readonly ImageInfo[] {
    return [...this.#images.values()].map((image) => this.#info(image));
  }

  get(fingerprint: string): ImageInfo {
    const found = [...this.#images.values()].filter((image) => image.fingerprint.startsWith(fingerprint));
    if (found.length > 1) throw hostError('image-ambiguous');
    if (!found[0] || fingerprint === '') throw hostError('image-not-found');
    return this.#info(found[0]);
  }

  /** Adds an image made of these files. */
  add(files: readonly (string | Buffer)[], part: Partial<Image> = {}): Image {
    const bytes = Buffer.concat(files.map((file) => Buffer.from(file as string)));
    const fingerprint = createHash('sha256').update(bytes).digest('hex');
    const image: Image = {
      fingerprint,
      architecture: 'x86_64',
      size: bytes.length,
      filename: 'image.tar.gz',
      public: false,
      cached: false,
      autoUpdate: false,
      properties: { os: 'busybox' },
      profiles: ['default'],
      createdAt: NOW,
      uploadedAt: NOW,
      lastUsedAt: '0001-01-01T00:00:00Z',
      expiresAt: '1970-01-01T00:00:00Z',
      files:
        files.length === 1
          ? { kind: 'unified', extension: '.tar.gz' }
          : { kind: 'split', metadataExtension: '.tar.xz', rootfsExtension: '.squashfs' },
      ...part,
    };
    this.#images.set(fingerprint, image);
    for (const [index, content] of files.entries()) writeFileSync(this.#path(image, index), content);
    return image;
  }

  async import(upload: Upload, options: UploadOptions): Promise<Operation> {
    const received: Buffer[] = [];
    const parts: { name: string; filename: string; size: number }[] = [];
    const take = async (name: string, filename: string, data: Readable) => {
      const content = await this.#read(data);
      parts.push({ name, filename, size: content.length });
      received.push(content);
    };
    this.uploads.push({ options, parts });
    try {
      if (upload.kind === 'unified') await take('', upload.filename, upload.data);
      else for await (const part of upload.parts) await take(part.name, part.filename, part.data);
      const image = this.add(received, { properties: options.properties, public: options.public });
      const metadata = { fingerprint: image.fingerprint, size: String(image.size) };
      return this.#operations.begin({ description: 'Downloading image', status: 'Success', metadata });
    } catch (error) {
      return this.#operations.begin({
        description: 'Downloading image',
        status: 'Failure',
        err: (error as Error).message,
      });
    }
  }

  update(fingerprint: string, fields: ImageFields, _by: unknown, check?: Precondition<Image>): void {
    const { image } = this.get(fingerprint);
    check?.(image);
    this.#images.set(image.fingerprint, { ...image, ...fields });
  }

  setCached(fingerprint: string, cached: boolean): void {
    const { image } = this.get(fingerprint);
    this.#images.set(image.fingerprint, { ...image, cached });
  }

  delete(fingerprint: string): Operation {
    const { image } = this.get(fingerprint);
    return this.#operations.run({ description: 'Deleting image', resources: { images: [fingerprint] } }, () =>
      this.#images.delete(image.fingerprint),
    );
  }

  export(fingerprint: string): { image: Image; paths: readonly string[] } {
    const { image } = this.get(fingerprint);
    const count = image.files.kind === 'unified' ? 1 : 2;
    return { image, paths: Array.from({ length: count }, (_, index) => this.#path(image, index)) };
  }

  aliases(): readonly Alias[] {
    return [...this.#aliases.values()];
  }

  alias(name: string): Alias {
    const alias = this.#aliases.get(name);
    if (!alias) throw hostError('alias-not-found');
    return alias;
  }

  createAlias(alias: Alias): void {
    if (this.#aliases.has(alias.name)) throw hostError('alias-exists', alias.name);
    this.#aliases.set(alias.name, alias);
  }

  updateAlias(
    name: string,
    fields: Pick<Alias, 'target' | 'description'>,
    _by: unknown,
    check?: Precondition<Alias>,
  ): void {
    const alias = this.alias(name);
    check?.(alias);
    this.#aliases.set(name, { ...alias, ...fields });
  }

  renameAlias(name: string, to: string): void {
    const alias = this.alias(name);
    this.#aliases.delete(name);
    this.#aliases.set(to, { ...alias, name: to });
  }

  deleteAlias(name: string): void {
    this.alias(name);
    this.#aliases.delete(name);
  }

  #info(image: Image): ImageInfo {
    return { image, aliases: this.aliases().filter(({ target }) => target === image.fingerprint) };
  }

  #path(image: Image, index: number): string {
    return join(this.#folder, `${image.fingerprint}.${index}`);
  }

  async #read(data: Readable): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of data) {
      await this.appetite();
      this.uploadedBytes += chunk.length;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}
