import { ByteSink } from './byte-sink.ts';
import { ChunkedDecoder } from './chunked.ts';
import { KEPT_BODY_BYTES_MAX } from './connection-limits.ts';
import type { HttpFailure } from './http-errors.ts';
import type { RequestHead } from './request-head.ts';

export type BodyProgress = 'more' | 'done' | HttpFailure;

const NO_BODY = Buffer.alloc(0);

/** True if bytes follow the head. */
export function hasBody(head: RequestHead): boolean {
  return head.chunked || head.contentLength > 0;
}

/** The body of one request: its beginning is kept if it will be read; the rest is counted and dropped. */
export class RequestBody {
  readonly #sink: ByteSink | undefined;
  readonly #decoder: ChunkedDecoder | undefined;
  #left: number;

  constructor(head: RequestHead, kept: boolean, bodyBytesMax: number) {
    this.#sink = kept ? new ByteSink() : undefined;
    this.#left = head.contentLength;
    this.#decoder = head.chunked
      ? new ChunkedDecoder(bodyBytesMax, (...data) => this.#take(...data))
      : undefined;
  }

  /** Reads from `bytes`; `used` is how many of them belong to the body. */
  push(bytes: Buffer): { readonly progress: BodyProgress; readonly used: number } {
    if (this.#decoder !== undefined) {
      const { progress, used } = this.#decoder.push(bytes);
      return { progress: FAILURES[progress] ?? (progress as 'more' | 'done'), used };
    }
    const used = Math.min(this.#left, bytes.length);
    this.#take(bytes, 0, used);
    this.#left -= used;
    return { progress: this.#left === 0 ? 'done' : 'more', used };
  }

  /** The bytes kept so far. */
  bytes(): Buffer {
    return this.#sink?.view() ?? NO_BODY;
  }

  #take(bytes: Buffer, start: number, end: number): void {
    if (this.#sink === undefined || this.#sink.length >= KEPT_BODY_BYTES_MAX) return;
    this.#sink.append(bytes, start, Math.min(end, start + KEPT_BODY_BYTES_MAX - this.#sink.length));
  }
}

const FAILURES: { readonly [progress: string]: HttpFailure } = {
  malformed: 'bad-request',
  'too-large': 'body-too-large',
};
