import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { request } from '../base/node-http.ts';
import type { OperationJson } from '../wire/operation.ts';
import { ApiError, explainConnection } from './client-errors.ts';

/** One request to the host API. */
export interface Call {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent unchanged; `json` is absent then. */
  readonly body?: Readable;
  readonly signal?: AbortSignal;
}

/** An answer whose envelope is not an error. */
export interface Reply {
  /** The whole envelope. */
  readonly envelope: Readonly<Record<string, unknown>>;
  readonly metadata: unknown;
  /** As it was sent, with its quotes; to be sent back in If-Match. */
  readonly etag: string | undefined;
  /** Present when the daemon goes on in the background. */
  readonly operation: OperationJson | undefined;
}

/** Answers are objects and lists in JSON; a longer one cannot be from the daemon. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;

/** Otherwise Node works out a server name for TLS, with a pattern that takes long to compile. */
const NO_TLS = { servername: '' };

/**
 * Sends one request on a connection of its own and reads the whole answer.
 * @throws ApiError when the daemon refuses, ConnectionError when it cannot be reached
 */
export async function call(socketPath: string, input: Call): Promise<Reply> {
  const response = await send(socketPath, input);
  return readReply(await readBody(response, socketPath), response);
}

/**
 * Sends one request and returns the answer's raw bytes.
 * @throws ApiError when the status is not 200
 */
export async function download(socketPath: string, input: Call): Promise<IncomingMessage> {
  const response = await send(socketPath, input);
  if (response.statusCode === 200) return response;
  readReply(await readBody(response, socketPath), response);
  throw new ApiError(response.statusCode ?? 0, unexpected(response));
}

function send(socketPath: string, input: Call): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const payload = input.json === undefined ? undefined : Buffer.from(JSON.stringify(input.json));
    const outgoing = request({
      socketPath,
      method: input.method,
      path: input.path,
      headers: { host: 'porthole', ...contentHeaders(payload), ...input.headers },
      agent: false,
      ...NO_TLS,
      ...(input.signal ? { signal: input.signal } : {}),
    });
    outgoing.on('response', resolve);
    outgoing.on('error', (error) => reject(explainConnection(error, socketPath)));
    writeBody(outgoing, payload, input.body, reject);
  });
}

function contentHeaders(payload: Buffer | undefined): OutgoingHttpHeaders {
  return payload ? { 'content-type': 'application/json', 'content-length': payload.length } : {};
}

/**
 * A refusal may arrive, and end the connection, while the body is still sent: then only the answer counts.
 */
function writeBody(
  outgoing: ClientRequest,
  payload: Buffer | undefined,
  body: Readable | undefined,
  reject: (error: unknown) => void,
): void {
  if (!body) {
    outgoing.end(payload);
    return;
  }
  outgoing.on('response', (response) => response.on('end', () => body.destroy()));
  body.on('error', reject);
  pipeline(body, outgoing).catch(() => {});
}

async function readBody(response: IncomingMessage, socketPath: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > ANSWER_BYTES_MAX) throw new ApiError(0, `The answer exceeds ${ANSWER_BYTES_MAX} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw explainConnection(error, socketPath);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readReply(text: string, response: IncomingMessage): Reply {
  const envelope = parseEnvelope(text);
  if (!envelope) throw new ApiError(response.statusCode ?? 0, unexpected(response));
  if (envelope['type'] === 'error') {
    const status = Number(envelope['error_code']) || response.statusCode || 0;
    throw new ApiError(status, String(envelope['error'] ?? '') || unexpected(response));
  }
  return {
    envelope,
    metadata: envelope['metadata'],
    etag: response.headers.etag,
    operation: envelope['type'] === 'async' ? (envelope['metadata'] as OperationJson) : undefined,
  };
}

function parseEnvelope(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function unexpected(response: IncomingMessage): string {
  return `The daemon's answer is not the host API's: ${response.statusCode} ${response.statusMessage ?? ''}`.trim();
}
