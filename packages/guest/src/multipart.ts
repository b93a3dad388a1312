import type { Hash } from 'node:crypto';

/** A part's own head; ours are about 200 bytes. */
const PART_HEAD_BYTES_MAX = 8 * 1024;

/**
 * The bytes of an image, whether it comes as one file or as a form of metadata and root filesystem.
 * Adds the size of each file to `sizes`, and all bytes to `hash`.
 * @throws when a form ends before its closing boundary
 */
export async function* readImage(
  stream: AsyncIterable<Buffer>,
  contentType: string,
  sizes: number[],
  hash: Hash,
): AsyncGenerator<Buffer, void, undefined> {
  const boundary = /^multipart\/form-data;\s*boundary="?([^";]+)/.exec(contentType)?.[1];
  const pieces = boundary === undefined ? oneFile(stream) : formFiles(stream, boundary);
  for await (const { file, bytes } of pieces) {
    sizes[file] = (sizes[file] ?? 0) + bytes.length;
    hash.update(bytes);
    yield bytes;
  }
}

interface Piece {
  /** 0 for the first file. */
  readonly file: number;
  readonly bytes: Buffer;
}

async function* oneFile(stream: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
  yield { file: 0, bytes: Buffer.alloc(0) };
  for await (const bytes of stream) yield { file: 0, bytes };
}

/** Finds the parts of a form; holds back only what may be the beginning of a boundary. */
async function* formFiles(stream: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Piece> {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // As if a line ended before the first boundary, so that all boundaries look alike.
  let held = Buffer.from('\r\n');
  let file = -1;
  let inBody = true;
  for await (const chunk of stream) {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      if (!inBody) {
        const end = partHeadEnd(held);
        if (end === 'closed') return;
        if (end === undefined) break;
        held = held.subarray(end);
        file++;
        inBody = true;
        yield { file, bytes: Buffer.alloc(0) };
      }
      const found = held.indexOf(delimiter);
      const safe = found >= 0 ? found : Math.max(0, held.length - delimiter.length + 1);
      if (file >= 0 && safe > 0) yield { file, bytes: held.subarray(0, safe) };
      held = held.subarray(found >= 0 ? found + delimiter.length : safe);
      if (found < 0) break;
      inBody = false;
    }
  }
  throw new Error('the image ended early');
}

/** Where a part's bytes begin, seen from behind its boundary; `closed` if that was the last boundary. */
function partHeadEnd(held: Buffer): number | 'closed' | undefined {
  if (held.length < 2) return undefined;
  if (held.subarray(0, 2).toString('latin1') === '--') return 'closed';
  const end = held.indexOf('\r\n\r\n');
  if (end >= 0) return end + 4;
  if (held.length > PART_HEAD_BYTES_MAX) throw new Error('the image is not a form as the host sends it');
  return undefined;
}
