import { mkdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { silentLog } from '../../base/log.ts';
import { ImageDirectory, type ReceiveOptions, type StagedImage } from '../image-directory.ts';
import { DEFAULT_LIMITS, type ImageLimits } from '../image-limits.ts';
import type { Upload } from '../upload.ts';

/** A directory of images at `path`, ready to use; limits that are not given are the default ones. */
export async function openDirectory(
  path: string,
  limits: Partial<ImageLimits> = {},
): Promise<ImageDirectory> {
  const directory = new ImageDirectory(path, silentLog, { ...DEFAULT_LIMITS, ...limits });
  await mkdir(path, { recursive: true, mode: 0o700 });
  return directory;
}

/** An upload of one file, in pieces of odd sizes, as from a network. */
export function unifiedUpload(bytes: Buffer, filename = 'tiny.tar'): Upload {
  return { kind: 'unified', filename, data: streamOf(bytes) };
}

/** An upload of several parts: name and bytes of each. */
export function splitUpload(...parts: readonly (readonly [name: string, bytes: Buffer])[]): Upload {
  async function* all() {
    for (const [name, bytes] of parts) yield { name, filename: `${name}.file`, data: streamOf(bytes) };
  }
  return { kind: 'split', parts: all() };
}

/** Receives an upload without expecting a fingerprint. */
export function receive(
  directory: ImageDirectory,
  upload: Upload,
  options: Partial<ReceiveOptions> = {},
): Promise<StagedImage> {
  const signal = new AbortController().signal;
  const unheard = { onBytes: () => {}, onStored: () => {}, onChecked: () => {} };
  return directory.receive(upload, { fingerprint: null, signal, ...unheard, ...options });
}

const PIECE_BYTES = 7001;

function streamOf(bytes: Buffer): Readable {
  const count = Math.ceil(bytes.length / PIECE_BYTES);
  const pieces = Array.from({ length: count }, (_, at) =>
    bytes.subarray(at * PIECE_BYTES, (at + 1) * PIECE_BYTES),
  );
  return Readable.from(pieces, { objectMode: false });
}
