const NO_BYTES = Buffer.alloc(0);
const GROWN_BYTES_MIN = 1024;
/** Up to this many bytes a loop is faster than a native copy. */
const COPIED_BY_HAND_MAX = 16;

/** Gathers bytes in one growing buffer: many small pieces cost no more than one large one. */
export class ByteSink {
  #bytes: Buffer = NO_BYTES;
  #start = 0;
  #end = 0;
  /** False while `bytes` is a piece that `append` was given: bytes after it must not be overwritten. */
  #owned = false;

  /** Adds a stretch of a piece at the end. If the sink is empty, it keeps the piece itself, not a copy. */
  append(piece: Buffer, from = 0, to = piece.length): void {
    if (this.#start === this.#end) {
      this.#bytes = piece;
      this.#start = from;
      this.#end = to;
      this.#owned = false;
      return;
    }
    const length = to - from;
    if (this.#end + length > this.#bytes.length || !this.#owned) this.#grow(length);
    if (length > COPIED_BY_HAND_MAX) piece.copy(this.#bytes, this.#end, from, to);
    else for (let at = 0; at < length; at++) this.#bytes[this.#end + at] = piece[from + at]!;
    this.#end += length;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /** The current bytes, as a view; the next `append` may make it outdated. */
  view(): Buffer {
    return this.#start === 0 && this.#end === this.#bytes.length
      ? this.#bytes
      : this.#bytes.subarray(this.#start, this.#end);
  }

  /** Drops bytes at the front. */
  consume(count: number): void {
    this.#start += count;
    if (this.#start >= this.#end) this.clear();
  }

  clear(): void {
    this.#bytes = NO_BYTES;
    this.#start = 0;
    this.#end = 0;
    this.#owned = false;
  }

  #grow(more: number): void {
    const needed = this.length + more;
    const grown = Buffer.allocUnsafe(Math.max(GROWN_BYTES_MIN, needed * 2));
    this.#bytes.copy(grown, 0, this.#start, this.#end);
    this.#end = this.length;
    this.#start = 0;
    this.#bytes = grown;
    this.#owned = true;
  }
}
