import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageFiles } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { type Layout, readArchive } from './archive.ts';
import { decompress } from './decompress.ts';
import { detectFormat, extensionOf, type Format } from './formats.ts';
import type { ImageLimits } from './image-limits.ts';
import { type ImageMetadata, parseMetadata } from './metadata.ts';
import { checkSquashfs } from './squashfs.ts';
import { FILE_NAMES } from './stage.ts';

const PERCENT = 100;

export interface Check {
  readonly limits: ImageLimits;
  readonly signal: AbortSignal;
  /** Called for the file that takes time: the only one, or the root filesystem. Not called for a squashfs. */
  onProgress(percent: number): void;
}

/** The result for an acceptable image. */
export interface Verified {
  readonly files: ImageFiles;
  readonly metadata: ImageMetadata;
}

/**
 * Checks the files of an image in a folder, each from its first byte to its last, never with a whole file in
 * memory.
 * @throws CodedError image-invalid, image-too-large; the signal's reason
 */
export async function verifyImage(folder: string, kind: ImageFiles['kind'], check: Check): Promise<Verified> {
  if (kind === 'unified') {
    const { extension, text } = await verifyFile(join(folder, FILE_NAMES.unified), 'unified', check);
    return { files: { kind, extension }, metadata: parseMetadata(text) };
  }
  const unseen = { ...check, onProgress: () => {} };
  const head = await verifyFile(join(folder, FILE_NAMES.metadata), 'metadata', unseen);
  const metadata = parseMetadata(head.text);
  const { extension } = await verifyFile(join(folder, FILE_NAMES.rootfs), 'rootfs', check);
  return { files: { kind, metadataExtension: head.extension, rootfsExtension: extension }, metadata };
}

/** @returns the extension of the file's format, and the text of metadata.yaml if its layout has one */
async function verifyFile(
  path: string,
  layout: Layout,
  check: Check,
): Promise<{ extension: string; text: string }> {
  const format = await formatOfFile(path);
  const extension = extensionOf(format);
  if (format !== 'squashfs') return { extension, text: await verifyTar(path, format, layout, check) };
  if (layout !== 'rootfs') throw hostError('image-invalid', 'Unsupported compression');
  await checkSquashfs(path, check.limits, check.signal);
  return { extension, text: '' };
}

async function formatOfFile(path: string): Promise<Format> {
  const file = await open(path, 'r');
  try {
    return await detectFormat(file);
  } finally {
    await file.close();
  }
}

async function verifyTar(path: string, format: Format, layout: Layout, check: Check): Promise<string> {
  let text = '';
  const { size } = await stat(path);
  const onRead = (total: number) => check.onProgress(Math.floor((total / size) * PERCENT));
  const chunks = decompress(path, format, { signal: check.signal, onRead });
  for await (const item of readArchive(chunks, layout, check.limits)) {
    if (item.kind === 'metadata') text = item.text;
  }
  return text;
}
