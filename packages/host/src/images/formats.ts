import type { FileHandle } from 'node:fs/promises';
import { hostError } from '../core/host-errors.ts';
import { isHeader } from './tar-header.ts';

/** How the bytes of an image's file are packed. */
export type Format = 'gzip' | 'bzip2' | 'xz' | 'lzma' | 'zstd' | 'tar' | 'squashfs';

interface FormatRow {
  readonly extension: string;
  readonly magic: Buffer;
  readonly offset: number;
}

/** In the order in which they are looked for. A name in a tar archive may begin with the magic of another. */
const FORMATS: Readonly<Record<Format, FormatRow>> = {
  tar: { extension: '.tar', magic: Buffer.from('ustar'), offset: 257 },
  gzip: { extension: '.tar.gz', magic: Buffer.from([0x1f, 0x8b]), offset: 0 },
  bzip2: { extension: '.tar.bz2', magic: Buffer.from('BZ'), offset: 0 },
  xz: { extension: '.tar.xz', magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]), offset: 0 },
  lzma: { extension: '.tar.lzma', magic: Buffer.from([0x5d, 0x00, 0x00]), offset: 0 },
  zstd: { extension: '.tar.zst', magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), offset: 0 },
  squashfs: { extension: '.squashfs', magic: Buffer.from('hsqs'), offset: 0 },
};

const HEAD_BYTES = 512;
const BRACE = 0x7b;

/** The extension that LXD gives a file of this format when it is exported. */
export function extensionOf(format: Format): string {
  return FORMATS[format].extension;
}

/** The format of an extension made by {@link extensionOf}; undefined for others. */
export function formatOf(extension: string): Format | undefined {
  return (Object.keys(FORMATS) as Format[]).find((format) => FORMATS[format].extension === extension);
}

/**
 * The format of a file by its first bytes; its name does not matter.
 * @throws CodedError image-invalid: `EOF` when it is empty, `Unsupported compression` when none fits; uploads-only
 *   for JSON, which asks for an image from elsewhere; curl sends it without its media type
 */
export async function detectFormat(file: FileHandle): Promise<Format> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  if (bytesRead === 0) throw hostError('image-invalid', 'EOF');
  const head = buffer.subarray(0, bytesRead);
  for (const [format, { magic, offset }] of Object.entries(FORMATS)) {
    if (head.subarray(offset, offset + magic.length).equals(magic)) return format as Format;
  }
  if (isHeader(head)) return 'tar';
  if (head[0] === BRACE) throw hostError('uploads-only');
  throw hostError('image-invalid', 'Unsupported compression');
}
