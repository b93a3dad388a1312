import { ApiError } from './errors.ts';

/** A file of a multipart body. */
export interface Part {
  /** As the daemon names it, without any folders: it comes from elsewhere and must not lead out of one. */
  readonly filename: string;
  /** Must be read to its end before the next part is asked for. */
  readonly data: AsyncIterable<Buffer>;
}

/** The files of a multipart body, one after the other, never a whole one in memory. @throws ApiError when it breaks off */
export async function* readParts(body: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Part> {
  const reader = new MarkReader(body);
  const mark = `\r\n--${boundary}`;
  await reader.text(mark);
  while ((await reader.text('\r\n')) !== '--') {
    const filename = filenameOf(await reader.text('\r\n\r\n'));
    yield { filename, data: reader.before(mark) };
  }
}

/** The last part of the name in a Content-Disposition; empty when there is none. */
export function filenameOf(disposition: string): string {
  const name = /filename="?([^";\r\n]+)/.exec(disposition)?.[1] ?? '';
  return name.split('/').at(-1) ?? '';
}

/** Reads up to marks. */
class MarkReader {
  readonly #chunks: AsyncIterator<Buffer>;
  /** The first mark has the end of a line before it as well. */
  #held: Buffer = Buffer.from('\r\n');

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** What stands before a mark, as it comes in; the mark is taken away. */
  async *before(mark: string): AsyncGenerator<Buffer> {
    for (let at = this.#held.indexOf(mark); at < 0; at = this.#held.indexOf(mark)) {
      // A mark may have begun in the last bytes.
      const safe = this.#take(this.#held.length - mark.length + 1);
      if (safe.length > 0) yield safe;
      const { done, value } = await this.#chunks.next();
      if (done) throw new ApiError(0, 'The answer breaks off');
      this.#held = Buffer.concat([this.#held, value]);
    }
    const last = this.#take(this.#held.indexOf(mark));
    this.#take(mark.length);
    if (last.length > 0) yield last;
  }

  async text(mark: string): Promise<string> {
    let text = '';
    for await (const chunk of this.before(mark)) text += chunk.toString('latin1');
    return text;
  }

  #take(count: number): Buffer {
    const taken = this.#held.subarray(0, Math.max(0, count));
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }
}
