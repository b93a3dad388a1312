import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageFiles, ImageTemplate } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { type Layout, readArchive } from './archive.ts';
import { decompress } from './decompress.ts';
import { detectFormat, extensionOf, type Format } from './formats.ts';
import type { ImageLimits } from './image-limits.ts';
import { type ImageMetadata, parseMetadata } from './metadata.ts';
import { checkSquashfs } from './squashfs.ts';
import { FILE_NAMES } from './stage.ts';
import { TemplateTexts } from './templates.ts';

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
  readonly templates: readonly ImageTemplate[];
}

/**
 * Checks the files of an image in a folder, each from its first byte to its last, never with a whole file in
 * memory.
 * @throws CodedError image-invalid, image-too-large; the signal's reason
 */
export async function verifyImage(folder: string, kind: ImageFiles['kind'], check: Check): Promise<Verified> {
  if (kind === 'unified') {
    const found = await verifyFile(join(folder, FILE_NAMES.unified), 'unified', check);
    return { files: { kind, extension: found.extension }, ...describedBy(found, check.limits) };
  }
  const unseen = { ...check, onProgress: () => {} };
  const head = await verifyFile(join(folder, FILE_NAMES.metadata), 'metadata', unseen);
  const described = describedBy(head, check.limits);
  const { extension } = await verifyFile(join(folder, FILE_NAMES.rootfs), 'rootfs', check);
  return { files: { kind, metadataExtension: head.extension, rootfsExtension: extension }, ...described };
}

interface FoundTexts {
  /** Of metadata.yaml; empty if the layout has none. */
  readonly text: string;
  readonly templates: TemplateTexts;
}

function describedBy({ text, templates }: FoundTexts, limits: ImageLimits): Omit<Verified, 'files'> {
  const metadata = parseMetadata(text);
  return { metadata, templates: templates.join(metadata.templates, limits) };
}

async function verifyFile(
  path: string,
  layout: Layout,
  check: Check,
): Promise<FoundTexts & { readonly extension: string }> {
  const format = await formatOfFile(path);
  const extension = extensionOf(format);
  if (format !== 'squashfs') return { extension, ...(await verifyTar(path, format, layout, check)) };
  if (layout !== 'rootfs') throw hostError('image-invalid', 'Unsupported compression');
  await checkSquashfs(path, check.limits, check.signal);
  return { extension, text: '', templates: new TemplateTexts() };
}

async function formatOfFile(path: string): Promise<Format> {
  const file = await open(path, 'r');
  try {
    return await detectFormat(file);
  } finally {
    await file.close();
  }
}

async function verifyTar(path: string, format: Format, layout: Layout, check: Check): Promise<FoundTexts> {
  const templates = new TemplateTexts();
  let text = '';
  const { size } = await stat(path);
  const onRead = (total: number) => check.onProgress(Math.floor((total / size) * PERCENT));
  const chunks = decompress(path, format, { signal: check.signal, onRead });
  for await (const item of readArchive(chunks, layout, check.limits)) {
    if (item.kind === 'metadata') text = item.text;
    if (item.kind === 'template') templates.add(item.name, item.text, check.limits);
  }
  return { text, templates };
}
