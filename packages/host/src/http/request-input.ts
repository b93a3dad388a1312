import { ByteSink } from './byte-sink.ts';
import { CR, LF } from './bytes.ts';
import { type HeadLimits, type HeadResult, parseHead } from './request-head.ts';

/**
 * The bytes of a connection that are still to be read as requests.
 *
 * A head that comes in pieces is not parsed after each piece, which would cost the square of its size: it is
 * parsed only when its end has come, or twice as many bytes as the last time.
 */
export class RequestInput extends ByteSink {
  #parsedBytes = 0;

  /** Adds a piece in the middle of a head; true if the head is worth parsing now. */
  appendToHead(piece: Buffer, limits: HeadLimits): boolean {
    this.append(piece);
    if (this.length >= limits.headBytes || this.length >= 2 * this.#parsedBytes) return true;
    return holdsEmptyLine(this.view(), this.length - piece.length);
  }

  /** Reads the head at the front and removes it, if it is complete. */
  readHead(limits: HeadLimits): HeadResult {
    const result = parseHead(this.view(), 0, limits);
    this.#parsedBytes = result.kind === 'incomplete' ? this.length : 0;
    if (result.kind === 'head') this.consume(result.next);
    return result;
  }
}

/** Whether an empty line ends at or after `from`. */
function holdsEmptyLine(bytes: Buffer, from: number): boolean {
  // The first line feed may be up to two bytes before `from`.
  for (let at = bytes.indexOf(LF, Math.max(0, from - 2)); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF || (bytes[at + 1] === CR && bytes[at + 2] === LF)) return true;
  }
  return false;
}
