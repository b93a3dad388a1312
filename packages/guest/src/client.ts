import { createHash } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readLines } from './lines.ts';
import { readImage } from './multipart.ts';
import type { EventPage, GuestDevices, GuestEvent, GuestEventType, GuestState, ServerInfo } from './wire.ts';

export type * from './wire.ts';

/** The path of the socket in every instance. */
export const SOCKET_PATH = '/dev/lxd/sock';

/** A refusal by the host: its status, and its text as the message. */
export class GuestApiError extends Error {
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'GuestApiError';
    this.status = status;
  }
}

export interface GuestClientOptions {
  /** Default: {@link SOCKET_PATH}. */
  readonly socketPath?: string;
  /** Longest wait for the beginning of an answer, default 10 s. */
  readonly timeoutMs?: number;
}

export interface EventOptions {
  /** Default: both. */
  readonly types?: readonly GuestEventType[];
  /**
   * Begins after the event with this number. All events have numbers then, and a client that comes back with
   * the last one misses nothing. Default: only new events, without numbers.
   */
  readonly since?: number | 'now';
  /** Ends the events. */
  readonly signal?: AbortSignal;
}

/** A value and its tag, which is the same as long as the value is. */
export interface TaggedValue {
  readonly value: string;
  readonly etag: string;
}

/** A refusal is one line; more than this of it is not needed. */
const ERROR_BYTES_MAX = 16 * 1024;
const TIMEOUT_MS = 10_000;
const MS_PER_SECOND = 1000;
/** How long the host is asked to wait for a change. */
const WAIT_SECONDS = 60;
const NOT_MODIFIED = 304;
const NOT_FOUND = 404;

/** The requests that a process inside an instance can make. Each call uses a new connection. */
export class GuestClient {
  readonly #socketPath: string;
  readonly #timeoutMs: number;

  constructor(options: GuestClientOptions = {}) {
    this.#socketPath = options.socketPath ?? SOCKET_PATH;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  }

  /** The versions of the API, such as `/1.0`. */
  root(): Promise<readonly string[]> {
    return this.#json('/');
  }

  /** State and host of this instance. */
  server(): Promise<ServerInfo> {
    return this.#json('/1.0');
  }

  /** Reports to the host that this instance is ready, or no longer is. */
  async setState(state: GuestState): Promise<void> {
    await this.#text('PATCH', '/1.0', JSON.stringify({ state }));
  }

  /** Names of the keys that `config` can read. */
  async configKeys(): Promise<readonly string[]> {
    const paths = await this.#json<readonly string[]>('/1.0/config');
    return paths.map((path) => path.slice('/1.0/config/'.length));
  }

  /** The value of a `user.*` or `cloud-init.*` key; undefined if it is not set. */
  async config(key: string): Promise<string | undefined> {
    return (await this.nextConfig(key))?.value;
  }

  /**
   * The value of a key once it differs from `known`; without `known` the current value.
   * @param seconds how long to wait; if nothing has changed by then, `known` is returned
   * @returns undefined, at once, if the key is not set
   */
  async nextConfig(
    key: string,
    known?: TaggedValue,
    seconds = WAIT_SECONDS,
  ): Promise<TaggedValue | undefined> {
    const path = `/1.0/config/${encodeURIComponent(key)}`;
    try {
      const answer = await (known === undefined
        ? this.#open('GET', path)
        : this.#open('GET', `${path}?wait=${seconds}`, {
            headers: { 'If-None-Match': known.etag },
            timeoutMs: this.#timeoutMs + seconds * MS_PER_SECOND,
          }));
      return { value: (await readAll(answer)).toString(), etag: answer.headers.etag ?? '' };
    } catch (error) {
      if (!(error instanceof GuestApiError)) throw error;
      if (error.status === NOT_MODIFIED) return known;
      if (error.status === NOT_FOUND) return undefined;
      throw error;
    }
  }

  /** Writes a `guest.*` key, if `security.devlxd.guest_config` is true; the operator sees it too. */
  async setConfig(key: string, value: string): Promise<void> {
    await this.#text('PUT', `/1.0/config/${encodeURIComponent(key)}`, value);
  }

  /** Removes a `guest.*` key. */
  async removeConfig(key: string): Promise<void> {
    await this.#text('DELETE', `/1.0/config/${encodeURIComponent(key)}`);
  }

  /** All keys with their values. A key that is removed meanwhile is left out. */
  async allConfig(): Promise<ReadonlyMap<string, string>> {
    const values = new Map<string, string>();
    for (const key of await this.configKeys()) {
      const value = await this.config(key);
      if (value !== undefined) values.set(key, value);
    }
    return values;
  }

  /** The instance's devices by name. */
  devices(): Promise<GuestDevices> {
    return this.#json('/1.0/devices');
  }

  /** cloud-init's meta-data, a YAML text. */
  metaData(): Promise<string> {
    return this.#text('GET', '/1.0/meta-data');
  }

  /**
   * Changes of this instance's config and devices, from the first `next()` until `signal` aborts, the loop is
   * left or the host ends the stream.
   */
  async *events({ types, since, signal }: EventOptions = {}): AsyncGenerator<GuestEvent, void, undefined> {
    if (signal?.aborted) return;
    const query = new URLSearchParams();
    if (types !== undefined) query.set('type', types.join(','));
    if (since !== undefined) query.set('since', String(since));
    const answer = await this.#open('GET', `/1.0/events?${query}`);
    const abort = () => answer.destroy();
    signal?.addEventListener('abort', abort);
    try {
      for await (const line of readLines(answer)) yield JSON.parse(line) as GuestEvent;
    } catch (error) {
      if (!signal?.aborted) throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      answer.destroy();
    }
  }

  /**
   * The events after the one with this number, without waiting; for `now` no events, but the position.
   * @throws GuestApiError 410 if events after that position are gone: start again from `now`
   */
  eventsSince(since: number | 'now', limit = 100): Promise<EventPage> {
    return this.#json(`/1.0/events?since=${since}&limit=${limit}`);
  }

  /**
   * Fetches an image into `target`: the image file, or metadata and then root filesystem.
   * @returns the size of each file in bytes, in that order
   * @throws GuestApiError if the host refuses; Error if the bytes do not have the fingerprint: then `target`
   * has been written to and must be thrown away
   */
  async exportImage(fingerprint: string, target: Writable): Promise<readonly number[]> {
    const answer = await this.#open('GET', `/1.0/images/${fingerprint}/export`);
    const sizes: number[] = [];
    const hash = createHash('sha256');
    await pipeline(readImage(answer, answer.headers['content-type'] ?? '', sizes, hash), target);
    const found = hash.digest('hex');
    if (found !== fingerprint) throw new Error(`the image has fingerprint ${found}, not ${fingerprint}`);
    return sizes;
  }

  async #json<T>(path: string): Promise<T> {
    return JSON.parse(await this.#text('GET', path)) as T;
  }

  async #text(method: string, path: string, body?: string): Promise<string> {
    return (await readAll(await this.#open(method, path, body === undefined ? {} : { body }))).toString();
  }

  /** Sends a request and waits for a head with status 200; the body is still to be read. */
  async #open(method: string, path: string, more: More = {}): Promise<IncomingMessage> {
    const answer = await this.#send(method, path, more);
    if (answer.statusCode === 200) return answer;
    const text = (await readAll(answer, ERROR_BYTES_MAX)).toString().trimEnd();
    throw new GuestApiError(answer.statusCode ?? 0, errorText(text) || (answer.statusMessage ?? ''));
  }

  #send(method: string, path: string, more: More): Promise<IncomingMessage> {
    const { body, timeoutMs = this.#timeoutMs } = more;
    const headers =
      body === undefined
        ? (more.headers ?? {})
        : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const asking = request({
        socketPath: this.#socketPath,
        host: 'lxd',
        method,
        path,
        headers,
        agent: false,
      });
      const timer = setTimeout(
        () => asking.destroy(new Error(`no answer from ${this.#socketPath} in ${timeoutMs} ms`)),
        timeoutMs,
      );
      asking.on('close', () => clearTimeout(timer));
      asking.on('response', (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      asking.on('error', reject);
      asking.end(body);
    });
  }
}

/** Options that few requests need. */
interface More {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest wait for the beginning of the answer. */
  readonly timeoutMs?: number;
}

/** Image refusals are JSON, all others plain text. */
function errorText(text: string): string {
  if (!text.startsWith('{')) return text;
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error : text;
  } catch {
    return text;
  }
}

async function readAll(answer: IncomingMessage, bytesMax = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > bytesMax) break;
  }
  return Buffer.concat(chunks);
}
