import { hostError } from '../core/host-errors.ts';

/** Reads exact amounts from a stream of chunks, and counts what it has read. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #bytesMax: number;
  #chunk: Buffer = Buffer.alloc(0);
  #total = 0;

  /** @param bytesMax more than this from the stream is an error: image-too-large */
  constructor(chunks: AsyncIterable<Buffer>, bytesMax: number) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#bytesMax = bytesMax;
  }

  /**
   * Exactly `length` bytes, or null at the end of the stream.
   * @throws CodedError image-invalid if it ends in between
   */
  async take(length: number): Promise<Buffer | null> {
    if (this.#chunk.length >= length) return this.#shift(length);
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const part = await this.#next(missing);
      if (!part && missing === length) return null;
      if (!part) throw endsEarly();
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts, length);
  }

  /** The next `length` bytes in pieces, not copied. */
  async *pieces(length: number): AsyncGenerator<Buffer> {
    let missing = length;
    while (missing > 0) {
      const part = await this.#next(missing);
      if (!part) throw endsEarly();
      missing -= part.length;
      yield part;
    }
  }

  /** Skips `length` bytes. */
  async skip(length: number): Promise<void> {
    for await (const _ of this.pieces(length));
  }

  /** Reads to the end of the stream: only there does a decompressor report that its input ended early. */
  async drain(): Promise<void> {
    while (await this.#next(Number.MAX_SAFE_INTEGER));
  }

  /** Counts bytes that the stream does not have, such as holes of files. @throws CodedError image-too-large */
  charge(bytes: number): void {
    this.#total += bytes;
    if (this.#total > this.#bytesMax) {
      throw hostError('image-too-large', `more than ${this.#bytesMax} bytes when unpacked`);
    }
  }

  /** Ends the stream, also before its end. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #next(most: number): Promise<Buffer | null> {
    while (this.#chunk.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return null;
      this.charge(value.length);
      this.#chunk = value;
    }
    return this.#shift(Math.min(most, this.#chunk.length));
  }

  #shift(length: number): Buffer {
    const part = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(length);
    return part;
  }
}

const endsEarly = () => hostError('image-invalid', 'The archive ends early');
