import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { hostError } from '../core/host-errors.ts';
import type { ImageLimits } from './image-limits.ts';
import type { Upload, UploadPart } from './upload.ts';

/** Names of an image's files in its folder, the same for all formats. */
export const FILE_NAMES = { unified: 'image', metadata: 'metadata', rootfs: 'rootfs' } as const;

/** An upload that is on disk. */
export interface StoredUpload {
  readonly fingerprint: string;
  readonly size: number;
  readonly filename: string;
}

export interface StoreOptions {
  readonly limits: ImageLimits;
  onBytes(total: number): void;
  readonly signal: AbortSignal;
}

/** Tools without rights read the files through a descriptor; the folders around them are closed. */
const FILE_MODE = 0o644;

/** How many characters of a file's name are kept. */
const FILENAME_MAX = 255;

/** Names of the parts of a split image, in order. */
const PART_NAMES = ['metadata', 'rootfs'] as const;
const VM_PART_NAME = 'rootfs.img';

/**
 * Writes an upload into a folder as it comes in, hashes it, and waits until it is safe on disk. If this
 * throws, the streams stay open: the calling code has to close them.
 * @throws CodedError image-invalid, image-too-large; the signal's reason
 */
export async function storeUpload(
  upload: Upload,
  folder: string,
  options: StoreOptions,
): Promise<StoredUpload> {
  const written = { hash: createHash('sha256'), size: 0 };
  const filename =
    upload.kind === 'unified'
      ? await storeUnified(upload, folder, written, options)
      : await storeSplit(upload.parts, folder, written, options);
  return { fingerprint: written.hash.digest('hex'), size: written.size, filename: cleanName(filename) };
}

interface Written {
  readonly hash: Hash;
  size: number;
}

type Unified = Extract<Upload, { kind: 'unified' }>;

async function storeUnified(
  { data, filename }: Unified,
  folder: string,
  written: Written,
  options: StoreOptions,
): Promise<string> {
  await storeFile(data, join(folder, FILE_NAMES.unified), written, options);
  return filename;
}

async function storeSplit(
  parts: AsyncIterable<UploadPart>,
  folder: string,
  written: Written,
  options: StoreOptions,
): Promise<string> {
  let filename = '';
  let count = 0;
  for await (const part of abortable(parts, options.signal)) {
    if (part.name === VM_PART_NAME) {
      throw hostError('image-invalid', 'Images of virtual machines (rootfs.img) are not supported');
    }
    const name = PART_NAMES[count++];
    if (part.name !== name) throw invalidMultipart();
    await storeFile(part.data, join(folder, FILE_NAMES[name]), written, options);
    filename = part.filename;
  }
  if (count !== PART_NAMES.length) throw invalidMultipart();
  return filename;
}

const invalidMultipart = () => hostError('image-invalid', 'Invalid multipart image');

async function storeFile(
  data: Readable,
  path: string,
  written: Written,
  options: StoreOptions,
): Promise<void> {
  const file = await open(path, 'wx', FILE_MODE);
  try {
    const chunks = data.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    for await (const chunk of abortable(chunks, options.signal)) {
      written.size += chunk.length;
      if (written.size > options.limits.uploadedBytes) {
        throw hostError('image-too-large', `more than ${options.limits.uploadedBytes} bytes`);
      }
      written.hash.update(chunk);
      await writeAll(file, chunk);
      options.onBytes(written.size);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
}

/** Passes values on until the signal aborts, also while one is awaited. @throws the signal's reason */
async function* abortable<T>(values: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = values[Symbol.asyncIterator]();
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await Promise.race([iterator.next(), aborted.promise]);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Not awaited: an iterator that is waiting for its next value ends only after that value.
    if (!signal.aborted) iterator.return?.().catch(() => {});
  }
}

/** The last part of a path, without control characters. */
function cleanName(filename: string): string {
  const last = filename.split(/[/\\]/).at(-1) ?? '';
  return last.replace(/[\0-\x1f\x7f]/g, '').slice(0, FILENAME_MAX);
}
