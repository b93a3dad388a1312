import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { formOf } from '../base/multipart.ts';
import { ApiError } from './client-errors.ts';
import type { HostClient } from './host-client.ts';
import type { Headers } from './requests.ts';

/** The local files of an image: one archive, or metadata and root filesystem in two. */
export type ImageFiles =
  | { readonly kind: 'unified'; readonly file: string }
  | { readonly kind: 'split'; readonly metadata: string; readonly rootfs: string };

export interface UploadOptions {
  readonly public: boolean;
  /** They override those in the image's metadata. */
  readonly properties: Readonly<Record<string, string>>;
  /** The file name that the daemon stores; that of the file itself when absent. */
  readonly filename?: string;
  /** Called as bytes are sent; `total` is the sum of the files' sizes. */
  readonly onBytes?: (sent: number, total: number) => void;
}

/** Large reads keep the number of trips through the event loop low. */
const READ_BYTES = 1024 * 1024;

/**
 * Uploads an image and waits until the daemon has imported it.
 * @returns its fingerprint
 * @throws ApiError when the daemon refuses it; a system error when a file cannot be read
 */
export async function uploadImage(
  client: HostClient,
  files: ImageFiles,
  options: UploadOptions,
): Promise<string> {
  const body = files.kind === 'unified' ? await unifiedBody(files.file) : await splitBody(files);
  const operation = await client.change('POST', '/1.0/images', {
    headers: { ...imageHeaders(files, options), ...body.headers },
    body: Readable.from(counted(body.pieces, body.size, options.onBytes), { objectMode: false }),
  });
  const fingerprint = operation?.metadata?.['fingerprint'];
  if (typeof fingerprint !== 'string')
    throw new ApiError(0, 'The daemon did not name the image that it imported');
  return fingerprint;
}

/** A path stands for the bytes of its file. */
interface FilePiece {
  readonly file: string;
}

interface Body {
  readonly headers: Headers;
  readonly pieces: readonly (string | FilePiece)[];
  /** Bytes of all files. */
  readonly size: number;
}

async function unifiedBody(file: string): Promise<Body> {
  const size = await sizeOf(file);
  const headers = { 'content-type': 'application/octet-stream', 'content-length': size };
  return { headers, pieces: [{ file }], size };
}

async function splitBody(files: { metadata: string; rootfs: string }): Promise<Body> {
  const { contentType, pieces } = formOf<FilePiece>([
    { name: 'metadata', filename: quoted(basename(files.metadata)), data: { file: files.metadata } },
    { name: 'rootfs', filename: quoted(basename(files.rootfs)), data: { file: files.rootfs } },
  ]);
  const size = (await sizeOf(files.metadata)) + (await sizeOf(files.rootfs));
  const around = pieces.reduce(
    (sum, each) => sum + (typeof each === 'string' ? Buffer.byteLength(each) : 0),
    0,
  );
  return { headers: { 'content-type': contentType, 'content-length': size + around }, pieces, size };
}

/** Quotes and line ends would end the header's value early. */
function quoted(filename: string): string {
  return filename.replaceAll(/["\\\r\n]/g, '_');
}

async function sizeOf(file: string): Promise<number> {
  const facts = await stat(file);
  if (!facts.isFile()) throw new ApiError(0, `${file} is not a file: an image is one tarball or two`);
  return facts.size;
}

function imageHeaders(files: ImageFiles, options: UploadOptions): Headers {
  const own = basename(files.kind === 'unified' ? files.file : files.rootfs);
  const properties = new URLSearchParams({ ...options.properties }).toString();
  return {
    'X-LXD-filename': (options.filename ?? own).replaceAll(/[^\x20-\x7e]/g, '_'),
    ...(options.public ? { 'X-LXD-public': 'true' } : {}),
    ...(properties ? { 'X-LXD-properties': properties } : {}),
  };
}

async function* counted(
  pieces: Body['pieces'],
  total: number,
  onBytes: UploadOptions['onBytes'],
): AsyncGenerator<Buffer> {
  let sent = 0;
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      yield Buffer.from(piece);
      continue;
    }
    for await (const chunk of createReadStream(piece.file, { highWaterMark: READ_BYTES })) {
      yield chunk as Buffer;
      sent += (chunk as Buffer).length;
      onBytes?.(sent, total);
    }
  }
}
