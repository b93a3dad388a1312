import { CR, hexValue, LF } from './bytes.ts';

/** A chunk's size line, including extensions. */
const SIZE_LINE_BYTES_MAX = 256;
/** All trailer lines together; they are read and dropped. */
const TRAILER_BYTES_MAX = 8 * 1024;
/** Digits of a chunk size: more than any body limit needs, and too few to lose precision. */
const SIZE_DIGITS_MAX = 8;

/** Gets data as a stretch of a piece: views of many small chunks would cost more than their bytes. */
export type TakeData = (bytes: Buffer, start: number, end: number) => void;

export type ChunkedProgress = 'more' | 'done' | 'malformed' | 'too-large';

type State = 'size' | 'extension' | 'data' | 'data-cr' | 'data-lf' | 'trailer';

/** Decodes a chunked body that comes in pieces of any size. */
export class ChunkedDecoder {
  readonly #bodyBytesMax: number;
  readonly #take: TakeData;
  #state: State = 'size';
  #size = 0;
  #digits = 0;
  #lineBytes = 0;
  #bodyBytes = 0;
  #afterCr = false;

  /** `take` gets the data of the chunks; a body above `bodyBytesMax` is refused before its data is read. */
  constructor(bodyBytesMax: number, take: TakeData) {
    this.#bodyBytesMax = bodyBytesMax;
    this.#take = take;
  }

  /** Reads from `bytes`; `used` is how many of them belong to the body. */
  push(bytes: Buffer): { readonly progress: ChunkedProgress; readonly used: number } {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === 'data') {
        at += this.#takeData(bytes, at);
        continue;
      }
      const progress = this.#step(bytes[at]!);
      at++;
      if (progress !== 'more') return { progress, used: at };
    }
    return { progress: 'more', used: at };
  }

  #takeData(bytes: Buffer, at: number): number {
    const count = Math.min(this.#size, bytes.length - at);
    this.#take(bytes, at, at + count);
    this.#size -= count;
    if (this.#size === 0) this.#state = 'data-cr';
    return count;
  }

  #step(byte: number): ChunkedProgress {
    switch (this.#state) {
      case 'size':
        return this.#stepSize(byte);
      case 'extension':
        return this.#stepExtension(byte);
      case 'data-cr':
        this.#state = 'data-lf';
        return byte === CR ? 'more' : 'malformed';
      case 'data-lf':
        this.#startLine('size');
        return byte === LF ? 'more' : 'malformed';
      default:
        return this.#stepTrailer(byte);
    }
  }

  #stepSize(byte: number): ChunkedProgress {
    const digit = hexValue(byte);
    if (digit < 0) {
      if (this.#digits === 0) return 'malformed';
      this.#state = 'extension';
      this.#lineBytes = this.#digits;
      // The digits must be followed by a blank, `;`, CR or LF.
      if (byte !== CR && byte !== LF && byte !== 0x3b && byte !== 0x20 && byte !== 0x09) return 'malformed';
      return this.#stepExtension(byte);
    }
    this.#digits++;
    this.#size = this.#size * 16 + digit;
    return this.#digits > SIZE_DIGITS_MAX ? 'malformed' : 'more';
  }

  #stepExtension(byte: number): ChunkedProgress {
    if (byte === LF) return this.#endSizeLine();
    // A CR without LF lets two readers see different bodies.
    if (this.#afterCr) return 'malformed';
    this.#afterCr = byte === CR;
    this.#lineBytes++;
    return this.#lineBytes > SIZE_LINE_BYTES_MAX ? 'malformed' : 'more';
  }

  #endSizeLine(): ChunkedProgress {
    if (this.#size === 0) {
      this.#startLine('trailer');
      this.#digits = 0;
      return 'more';
    }
    this.#bodyBytes += this.#size;
    if (this.#bodyBytes > this.#bodyBytesMax) return 'too-large';
    this.#state = 'data';
    this.#afterCr = false;
    return 'more';
  }

  /** `lineBytes` counts the bytes of all trailers, `digits` those of the line that is being read. */
  #stepTrailer(byte: number): ChunkedProgress {
    if (byte === LF) {
      if (this.#digits === 0) return 'done';
      this.#digits = 0;
      this.#afterCr = false;
      return 'more';
    }
    if (this.#afterCr) return 'malformed';
    this.#afterCr = byte === CR;
    if (!this.#afterCr) this.#digits++;
    this.#lineBytes++;
    return this.#lineBytes > TRAILER_BYTES_MAX ? 'malformed' : 'more';
  }

  #startLine(state: 'size' | 'trailer'): void {
    this.#state = state;
    this.#size = 0;
    this.#digits = 0;
    this.#lineBytes = 0;
    this.#afterCr = false;
  }
}
