import type { Readable } from 'node:stream';
import type {} from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { within } from '../base/within.ts';
import { hostError } from '../core/host-errors.ts';
import type { UploadPart } from '../images/upload.ts';
import { baseName } from '../wire/image.ts';
import { DRAIN_TIMEOUT_MS, JSON_BODY_BYTES_MAX } from './host-limits.ts';

/** A body that is read into memory, at most once: a request may have to be read before it is known who answers it. */
export class BodyOnce {
  readonly #body: Readable;
  #bytes: Buffer | undefined;

  constructor(body: Readable) {
    this.#body = body;
  }

  /** @throws CodedError 400 when it breaks off, 413 when it is too large */
  async read(): Promise<Buffer> {
    this.#bytes ??= await readBytes(this.#body);
    return this.#bytes;
  }

  /** The bytes, if it has been read. */
  get taken(): Buffer | undefined {
    return this.#bytes;
  }
}

async function readBytes(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Destroying the request would cut the connection before its answer.
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > JSON_BODY_BYTES_MAX) break;
      chunks.push(chunk);
    }
  } catch {
    throw hostError('client-gone');
  }
  if (size <= JSON_BODY_BYTES_MAX) return Buffer.concat(chunks);
  throw hostError('body-too-large', String(JSON_BODY_BYTES_MAX));
}

/** A split image has two parts; one more is read, so that too many parts are noticed. */
const PARTS_MAX = 3;

/** The files of a multipart body. @throws image-invalid for a part that is not a file */
export async function* readParts(request: FastifyRequest): AsyncGenerator<UploadPart> {
  const limits = { fileSize: Number.POSITIVE_INFINITY, parts: PARTS_MAX, fields: 1, fieldSize: 1 };
  for await (const part of request.parts({ limits })) {
    if (part.type !== 'file') throw hostError('image-invalid', 'Invalid multipart image');
    yield { name: part.fieldname, filename: baseName(part.filename ?? ''), data: part.file };
  }
}

/**
 * Reads the rest of a refused body and drops it: a client that is cut off while it sends may never see the
 * reason. Settles also when the client takes too long.
 */
export async function drain(request: Readable): Promise<void> {
  if (request.readableEnded || request.destroyed) return;
  const over = Promise.withResolvers<void>();
  request.once('end', over.resolve).once('close', over.resolve);
  request.unpipe();
  // A reader that was abandoned while it waited keeps the stream from flowing, so the stream is read piece by
  // piece.
  const discard = () => {
    while (request.read() !== null);
  };
  request.on('readable', discard);
  discard();
  await within(DRAIN_TIMEOUT_MS, over.promise);
}
