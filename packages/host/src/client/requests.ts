import type { Readable } from 'node:stream';

/** Names and values of headers. */
export type Headers = Readonly<Record<string, string | number>>;

/** One request to the host API. */
export interface Call {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers?: Headers;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent unchanged; `json` is absent then. */
  readonly body?: Readable;
  readonly signal?: AbortSignal;
}
