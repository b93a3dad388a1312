import { formOf, newBoundary } from '../base/multipart.ts';
import type { Image } from '../core/entities.ts';
import type { HeadFields } from '../http/head-fields.ts';
import {
  type BodyPart,
  type ByteSource,
  headerBlock,
  type Reply,
  type StreamReply,
} from '../http/response.ts';
import { type ByteRange, parseRange } from './byte-ranges.ts';
import { textError } from './guest-errors.ts';

/** An open file of an image. */
export interface ImageFile {
  readonly source: ByteSource;
  /** Bytes. */
  readonly size: number;
  readonly modifiedAt: Date;
}

type Finish = StreamReply['finish'];

const OCTETS = 'application/octet-stream';

/** An image in one file: the whole file, ranges of it, or nothing if the client has it already. */
export function unifiedReply(
  fields: Readonly<HeadFields>,
  filename: string,
  file: ImageFile,
  finish: Finish,
): Reply {
  const disposition = `inline;filename=${filename}`;
  const modified = file.modifiedAt.toUTCString();
  if (!isModified(fields.ifModifiedSince, file.modifiedAt)) {
    finish(false);
    const headers = headerBlock({ 'Content-Disposition': disposition, 'Last-Modified': modified });
    return { kind: 'text', status: 304, headers, body: '', unmeasured: true };
  }
  const ranges = parseRange(rangeHeader(fields, modified), file.size);
  if (ranges === 'malformed' || ranges === 'beyond-end') {
    finish(false);
    return rangeRefusal(ranges, disposition, modified, file.size);
  }
  const body = ranges === 'whole' ? wholeBody(file) : rangedBody(file, ranges);
  const headers = headerBlock({
    'Accept-Ranges': 'bytes',
    'Content-Disposition': disposition,
    'Content-Length': body.length,
    ...(body.contentRange === undefined ? {} : { 'Content-Range': body.contentRange }),
    'Content-Type': body.contentType,
    'Last-Modified': modified,
  });
  const status = ranges === 'whole' ? 200 : 206;
  return { kind: 'stream', status, headers, chunked: false, parts: body.parts, finish };
}

/** An image in two files: a form of two parts, metadata first. */
export function splitReply(
  image: Image & { readonly files: { readonly kind: 'split' } },
  files: readonly [metadata: ImageFile, rootfs: ImageFile],
  finish: Finish,
): StreamReply {
  const { fingerprint } = image;
  const { contentType, pieces } = formOf([
    {
      name: 'metadata',
      filename: `meta-${fingerprint}${image.files.metadataExtension}`,
      data: stretch(files[0]),
    },
    { name: 'rootfs', filename: `${fingerprint}${image.files.rootfsExtension}`, data: stretch(files[1]) },
  ]);
  const headers = headerBlock({ 'Content-Type': contentType });
  return { kind: 'stream', status: 200, headers, chunked: true, parts: pieces, finish };
}

interface Body {
  readonly length: number;
  readonly contentType: string;
  readonly contentRange?: string;
  readonly parts: readonly BodyPart[];
}

function wholeBody(file: ImageFile): Body {
  return { length: file.size, contentType: OCTETS, parts: [stretch(file)] };
}

function rangedBody(file: ImageFile, ranges: readonly ByteRange[]): Body {
  const [first] = ranges;
  if (ranges.length === 1 && first !== undefined) {
    const contentRange = rangeText(first, file.size);
    return { length: first.length, contentType: OCTETS, contentRange, parts: [stretch(file, first)] };
  }
  const boundary = newBoundary();
  const parts: BodyPart[] = [];
  for (const range of ranges) {
    const start = `${parts.length === 0 ? '' : '\r\n'}--${boundary}\r\n`;
    parts.push(`${start}Content-Range: ${rangeText(range, file.size)}\r\nContent-Type: ${OCTETS}\r\n\r\n`);
    parts.push(stretch(file, range));
  }
  parts.push(`\r\n--${boundary}--\r\n`);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return { length, contentType: `multipart/byteranges; boundary=${boundary}`, parts };
}

function stretch(file: ImageFile, range: ByteRange = { start: 0, length: file.size }): BodyPart {
  return { source: file.source, start: range.start, length: range.length };
}

function rangeText({ start, length }: ByteRange, size: number): string {
  return `bytes ${start}-${start + length - 1}/${size}`;
}

function rangeRefusal(
  ranges: 'malformed' | 'beyond-end',
  disposition: string,
  modified: string,
  size: number,
): Reply {
  const headers = headerBlock({
    'Content-Disposition': disposition,
    ...(ranges === 'beyond-end' ? { 'Content-Range': `bytes */${size}` } : {}),
    'Content-Type': 'text/plain; charset=utf-8',
    'Last-Modified': modified,
    'X-Content-Type-Options': 'nosniff',
  });
  return textError(ranges === 'malformed' ? 'range-malformed' : 'range-beyond-end', '', headers);
}

/** `If-Range`: the ranges count only if the client has a part of the current file. */
function rangeHeader(fields: Readonly<HeadFields>, modified: string): string | undefined {
  if (fields.ifRange !== undefined && fields.ifRange !== modified) return undefined;
  return fields.range;
}

function isModified(since: string | undefined, modifiedAt: Date): boolean {
  const sinceMs = since === undefined ? Number.NaN : Date.parse(since);
  if (Number.isNaN(sinceMs)) return true;
  return Math.floor(modifiedAt.getTime() / 1000) > Math.floor(sinceMs / 1000);
}
