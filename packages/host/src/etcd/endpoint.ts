import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { connectionFailure } from './connection-failures.ts';
import { Failure } from './failure.ts';
import { refusalOfAnswer } from './refusals.ts';

/** PEM texts for TLS. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Time limits of one attempt, and what ends it before. */
export interface AttemptLimits {
  /** Until there is a connection, with its TLS. */
  readonly connectMs: number;
  /** Until the whole answer is there, with the connection. */
  readonly answerMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A request to a path of the gateway. */
export interface Post {
  readonly path: string;
  /** JSON. */
  readonly body: string;
  /** etcd's token for a user, if there is one. */
  readonly token?: string | undefined;
  /** Present for a watch: the request stays open for further messages, and has a connection of its own. */
  readonly stays?: boolean;
}

/** A longer answer is refused: it would stop the main thread for half a second. Reads of many keys are in pages. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** Connections to one endpoint at the same time, apart from those of watches; more requests wait. */
const CONNECTIONS_MAX = 32;

/** A kept connection is probed by the kernel after this time without data. */
const PROBE_MS = 5_000;

/**
 * The gateway passes `hasleader` on to etcd, which then refuses at once when it knows no leader, and ends watches.
 * With `accept` etcd knows that the request came through its gateway: otherwise it would take the name in its own
 * certificate, with which the gateway connects, for the user's.
 */
const HEADERS = {
  accept: 'application/json',
  'content-type': 'application/json',
  'grpc-metadata-hasleader': 'true',
};

/** One endpoint of etcd, with kept connections. */
export class Endpoint {
  readonly url: URL;
  readonly #request: typeof import('node:http').request;
  readonly #agent: Agent;
  readonly #tls: TlsFiles;

  constructor(url: string, tls: TlsFiles) {
    this.url = new URL(url);
    // Not imported: see base/node-http.ts.
    const http =
      this.url.protocol === 'https:'
        ? process.getBuiltinModule('node:https')
        : process.getBuiltinModule('node:http');
    this.#request = http.request as typeof import('node:http').request;
    this.#tls = tls;
    this.#agent = new http.Agent({ keepAlive: true, keepAliveMsecs: PROBE_MS, maxSockets: CONNECTIONS_MAX });
  }

  /** Its place, as messages name it. */
  get at(): string {
    return this.url.origin;
  }

  /** Sends a request and reads the whole answer. @throws Failure */
  post(post: Post, limits: AttemptLimits): Promise<string> {
    return this.open(post, limits, async (answer) => {
      const body = await readAll(answer);
      if (answer.statusCode === 200) return body;
      throw refusalOfAnswer(answer.statusCode ?? 0, body);
    });
  }

  /**
   * Sends a request, and has its answer read. The limits hold until `read` is done.
   * @throws Failure
   */
  open<T>(
    post: Post,
    limits: AttemptLimits,
    read: (answer: IncomingMessage, request: ClientRequest) => Promise<T>,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const request = this.#start(post);
    let sent = false;
    const fail = (error: Error) => {
      request.destroy();
      reject(connectionFailure(error, sent, this.url.protocol === 'https:'));
    };
    const end = limit(request, limits, fail, () => {
      sent = true;
    });
    request.on('error', fail);
    request.on('response', (answer) => {
      sent = true;
      // An error after `read` is done is the reader's to notice, by the end of the answer.
      answer.on('error', fail);
      read(answer, request).then(resolve, fail);
    });
    return promise.finally(end);
  }

  #start({ path, body, token, stays = false }: Post): ClientRequest {
    const headers: OutgoingHttpHeaders = token === undefined ? HEADERS : { ...HEADERS, authorization: token };
    const request = this.#request(this.url, {
      method: 'POST',
      path,
      // Go's server answers before the end of a request only on a connection that it closes afterwards.
      headers: stays ? { ...headers, connection: 'close' } : headers,
      agent: stays ? false : this.#agent,
      ...this.#tls,
    });
    if (stays) {
      request.on('socket', (socket) => socket.setKeepAlive(true, PROBE_MS));
      request.write(body);
    } else request.end(body);
    return request;
  }

  /** Ends all kept connections. */
  close(): void {
    this.#agent.destroy();
  }
}

/** Sockets that have been connected, with their TLS. */
const CONNECTED = new WeakSet<Socket>();

/** Ends an attempt that takes too long. @returns a function that lifts the limits */
function limit(
  request: ClientRequest,
  { connectMs, answerMs, signal }: AttemptLimits,
  fail: (failure: Failure) => void,
  onConnected: () => void,
): () => void {
  let connected = false;
  const late = (after: number, what: string) =>
    setTimeout(() => {
      const why = `${what} in ${(after / 1000).toFixed(1)} s`;
      fail(new Failure('etcd-unreachable', why, { mayBeDone: connected, elsewhere: true }));
    }, after);
  const connecting = late(connectMs, 'no connection');
  const answering = late(answerMs, 'no answer');
  const abort = () => fail(new Failure('etcd-unreachable', 'given up', { mayBeDone: connected }));
  request.on('socket', (socket) => {
    const connect = () => {
      connected = true;
      clearTimeout(connecting);
      onConnected();
    };
    // Not `request.reusedSocket`: it is not set for a request that has waited for another one's connection.
    if (CONNECTED.has(socket)) connect();
    else
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
        CONNECTED.add(socket);
        connect();
      });
  });
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  return () => {
    clearTimeout(connecting);
    clearTimeout(answering);
    signal?.removeEventListener('abort', abort);
  };
}

/** The text of an answer. @throws Failure */
export async function readAll(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > ANSWER_BYTES_MAX)
      throw new Failure('etcd-too-large', `the answer exceeds ${ANSWER_BYTES_MAX} bytes`, {
        mayBeDone: true,
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}
