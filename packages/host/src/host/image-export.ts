import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { formOf } from '../base/multipart.ts';
import type { Image } from '../core/entities.ts';
import { type Answer, type Call, type Edge, param } from './call.ts';
import { FILE_CHUNK_BYTES } from './host-limits.ts';

/** A piece of an export: a text between files, or a whole file. */
type Piece = string | OpenFile;

interface OpenFile {
  readonly handle: FileHandle;
  readonly size: number;
}

/**
 * GET /1.0/images/FINGERPRINT/export: the uploaded bytes, with the file names that clients save them under.
 */
export async function exportImage({ backend }: Edge, call: Call): Promise<Answer> {
  if (backend.fleet) await backend.images.ensure(param(call, 'fingerprint'));
  const { image, paths } = backend.images.export(param(call, 'fingerprint'), call.by);
  const files = await openAll(paths);
  const names = fileNames(image);
  if (image.files.kind === 'unified') {
    const disposition = `inline;filename=${names[0]}`;
    return download(files, {
      'Content-Type': 'application/octet-stream',
      'Content-Disposition': disposition,
    });
  }
  const form = formOf(
    files.map((data, index) => {
      return { name: index === 0 ? 'metadata' : 'rootfs', filename: names[index] ?? '', data };
    }),
  );
  return download(form.pieces, { 'Content-Type': form.contentType });
}

function fileNames({ fingerprint, files }: Image): readonly string[] {
  if (files.kind === 'unified') return [`${fingerprint}${files.extension}`];
  return [`meta-${fingerprint}${files.metadataExtension}`, `${fingerprint}${files.rootfsExtension}`];
}

/** Opens all files before the first byte is sent: a missing file is an error, not a short download. */
async function openAll(paths: readonly string[]): Promise<readonly OpenFile[]> {
  const files: OpenFile[] = [];
  try {
    for (const path of paths) {
      const handle = await open(path, 'r');
      files.push({ handle, size: 0 });
      files[files.length - 1] = { handle, size: (await handle.stat()).size };
    }
    return files;
  } catch (error) {
    await Promise.all(files.map(({ handle }) => handle.close()));
    throw error;
  }
}

function download(pieces: readonly Piece[], headers: Record<string, string>): Answer {
  const size = pieces.reduce(
    (sum, piece) => sum + (typeof piece === 'string' ? piece.length : piece.size),
    0,
  );
  const data = Readable.from(read(pieces), { objectMode: false, highWaterMark: FILE_CHUNK_BYTES });
  // A generator that never ran runs no `finally`, so the files are closed here in any case.
  data.once('close', () => {
    for (const piece of pieces) if (typeof piece !== 'string') void piece.handle.close().catch(() => {});
  });
  return { kind: 'raw', headers: { ...headers, 'Content-Length': size }, data };
}

async function* read(pieces: readonly Piece[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    if (typeof piece === 'string') yield Buffer.from(piece);
    else if (piece.size > 0) {
      yield* piece.handle.createReadStream({
        autoClose: false,
        start: 0,
        end: piece.size - 1,
        highWaterMark: FILE_CHUNK_BYTES,
      });
    }
  }
}
