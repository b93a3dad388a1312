import { once } from 'node:events';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { HostClient } from '../../src/client/host-client.ts';
import type { OperationJson } from '../../src/wire/operation.ts';
import type { TestDaemon } from './daemon.ts';

/** An answer of the host API, not parsed. */
export interface RawAnswer {
  readonly status: number;
  readonly etag: string;
  readonly text: string;
}

/** A refusal of the host API, from its answer or from the end of an operation. */
export interface Refusal {
  readonly status: number;
  readonly error: string;
}

/** Sends one request to the host API, its body byte for byte. */
export async function ask(
  daemon: TestDaemon,
  method: string,
  path: string,
  body: string | Buffer = '',
  headers: OutgoingHttpHeaders = {},
): Promise<RawAnswer> {
  const isChunked = 'transfer-encoding' in headers;
  const length = isChunked ? {} : { 'content-length': Buffer.byteLength(body) };
  const outgoing = request({
    socketPath: daemon.hostSocket,
    method,
    path,
    headers: { host: 'lxd', ...length, ...headers },
    agent: false,
  });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const text = await readText(response);
  return { status: response.statusCode ?? 0, etag: response.headers.etag ?? '', text };
}

/**
 * The refusal of a request; waits for its operation if it has one.
 * @throws when an answer without an operation is not a refusal, or when its envelope and HTTP give different
 *   statuses
 */
export async function refusalOf(daemon: TestDaemon, answer: RawAnswer): Promise<Refusal> {
  const envelope = JSON.parse(answer.text) as {
    type: string;
    error_code: number;
    error: string;
    metadata: OperationJson;
  };
  if (envelope.type === 'async') {
    const { err, status_code } = await new HostClient(daemon.hostSocket).wait(envelope.metadata);
    return { status: status_code, error: err };
  }
  if (envelope.type !== 'error' || envelope.error_code !== answer.status) throw new Error(answer.text);
  return { status: answer.status, error: envelope.error };
}
