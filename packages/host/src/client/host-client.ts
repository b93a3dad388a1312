import type { Readable } from 'node:stream';
import type { OperationJson } from '../wire/operation.ts';
import type { ProgressListener } from './operations.ts';
import { requireSuccess, waitForOperation, withProgress } from './operations.ts';
import type { Headers } from './requests.ts';
import { call } from './transport.ts';

export interface HostClientOptions {
  /** Gets the progress of the operations that this client waits for. */
  readonly onProgress?: ProgressListener;
  /** Gets the names of members of a fleet that have not confirmed a change in time. */
  readonly onUnconfirmed?: (members: readonly string[]) => void;
  /** Ends requests, and waits for operations. */
  readonly signal?: AbortSignal;
}

/** Body and headers of a request that changes something. */
export interface ChangeOptions {
  readonly json?: unknown;
  readonly body?: Readable;
  readonly headers?: Headers;
}

/** A value and the ETag that it had when it was read. */
export interface Tagged<T> {
  readonly value: T;
  readonly etag: string | undefined;
}

/** A client of the host API over a Unix socket; it opens one connection per request, and keeps none open. */
export class HostClient {
  readonly socketPath: string;
  readonly #options: HostClientOptions;

  constructor(socketPath: string, options: HostClientOptions = {}) {
    this.socketPath = socketPath;
    this.#options = options;
  }

  /** Reads an object or a collection; T is its expected type. */
  async get<T>(path: string): Promise<T> {
    return (await this.getTagged<T>(path)).value;
  }

  /** Like {@link get}, with the ETag for a later If-Match. */
  async getTagged<T>(path: string): Promise<Tagged<T>> {
    const { metadata, etag } = await call(this.socketPath, { method: 'GET', path, ...this.#signal() });
    return { value: metadata as T, etag };
  }

  /**
   * Sends a change and waits until it is done.
   * @returns the finished operation; undefined when the daemon was done at once
   * @throws ApiError when it is refused or its operation fails
   */
  async change(
    method: string,
    path: string,
    options: ChangeOptions = {},
  ): Promise<OperationJson | undefined> {
    return withProgress(this.socketPath, this.#options.onProgress, async (follow) => {
      const operation = await this.begin(method, path, options);
      if (!operation) return undefined;
      follow(operation.id);
      const ended = requireSuccess(await this.wait(operation));
      this.#tell(ended.metadata);
      return ended;
    });
  }

  /** Sends a change and does not wait for its operation. */
  async begin(method: string, path: string, options: ChangeOptions = {}): Promise<OperationJson | undefined> {
    const reply = await call(this.socketPath, { method, path, ...options, ...this.#signal() });
    this.#tell(reply.envelope);
    return reply.operation;
  }

  /** Waits until an operation has ended, with success or not. */
  wait(operation: OperationJson): Promise<OperationJson> {
    return waitForOperation(this.socketPath, operation, this.#options.signal);
  }

  /** Of an answer, or of the metadata of an operation that has ended. */
  #tell(answer: Readonly<Record<string, unknown>> | null): void {
    const members = answer?.['porthole_unconfirmed'];
    if (Array.isArray(members) && members.length > 0) this.#options.onUnconfirmed?.(members.map(String));
  }

  #signal(): { signal?: AbortSignal } {
    return this.#options.signal ? { signal: this.#options.signal } : {};
  }
}

/** Builds a path of the API and encodes each value in it: path`/1.0/instances/${name}`. */
export function path(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return parts.reduce((text, part, index) => text + encodeURIComponent(values[index - 1] ?? '') + part);
}
