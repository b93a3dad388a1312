import type { Hash } from 'node:crypto';

/** The head of a part; those of Porthole have about 200 bytes. */
const PART_HEAD_BYTES_MAX = 8 * 1024;
const PART_HEAD_END = Buffer.from('\r\n\r\n');

/**
 * The bytes of an image, in both forms: one file, or a form of metadata and root filesystem. Adds the size of
 * each file to `sizes`, and all bytes to `hash`.
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

async function* formFiles(stream: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Piece> {
  let file = 0;
  for await (const { data } of readForm(stream, boundary)) {
    yield { file, bytes: Buffer.alloc(0) };
    for await (const bytes of data) yield { file, bytes };
    file++;
  }
}

/** A part of a form. */
export interface FormPart {
  /** Its header lines. */
  readonly head: string;
  /** Must be read to its end before the next part is asked for. */
  readonly data: AsyncIterable<Buffer>;
}

/** The bytes are not a complete form. */
export class FormError extends Error {}

/** The parts of a form, one after the other, never a whole part in memory. @throws FormError */
export async function* readForm(
  stream: AsyncIterable<Buffer>,
  boundary: string,
): AsyncGenerator<FormPart, void, undefined> {
  const chunks = stream[Symbol.asyncIterator]();
  const reader = new MarkReader(chunks);
  const mark = Buffer.from(`\r\n--${boundary}`);
  try {
    for await (const _ of reader.before(mark));
    while (!(await reader.startsWith('--'))) {
      yield { head: await reader.text(PART_HEAD_END, PART_HEAD_BYTES_MAX), data: reader.before(mark) };
    }
  } finally {
    await chunks.return?.();
  }
}

/** Reads up to marks; holds back only bytes that may be the beginning of one. */
class MarkReader {
  readonly #chunks: AsyncIterator<Buffer>;
  /** Begins as if a line ended before the first boundary, so that all boundaries look alike. */
  #held: Buffer = Buffer.from('\r\n');

  constructor(chunks: AsyncIterator<Buffer>) {
    this.#chunks = chunks;
  }

  /** The bytes before a mark, as they come in; the mark is removed. */
  async *before(mark: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const found = this.#held.indexOf(mark);
      const piece = this.#take(found >= 0 ? found : Math.max(0, this.#held.length - mark.length + 1));
      if (piece.length > 0) yield piece;
      if (found >= 0) break;
      await this.#more();
    }
    this.#take(mark.length);
  }

  async text(mark: Buffer, bytesMax: number): Promise<string> {
    let text = '';
    for await (const piece of this.before(mark)) {
      text += piece.toString('latin1');
      if (text.length > bytesMax) throw new FormError('the image is not a form as the host sends it');
    }
    return text;
  }

  /** Whether `text` comes next; it is not removed. */
  async startsWith(text: string): Promise<boolean> {
    while (this.#held.length < text.length) await this.#more();
    return this.#held.toString('latin1', 0, text.length) === text;
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#chunks.next();
    if (done) throw new FormError('the image ended early');
    this.#held = Buffer.concat([this.#held, value]);
  }

  #take(count: number): Buffer {
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }
}
