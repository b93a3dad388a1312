import type { IncomingMessage } from 'node:http';
import type { OperationJson } from '../wire/operation.ts';
import type { PlainAnswer } from './answer-reader.ts';
import { ApiError, explainConnection } from './client-errors.ts';
import { exchange } from './plain-exchange.ts';
import type { Call } from './requests.ts';

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

/**
 * Sends one request on a connection of its own and reads the whole answer.
 * @throws ApiError when the daemon refuses, ConnectionError when it cannot be reached
 */
export async function call(socketPath: string, input: Call): Promise<Reply> {
  if (input.body) {
    const { readAnswer, send } = await streamed();
    return readReply(await readAnswer(await send(socketPath, input), socketPath));
  }
  const { method, path, json, signal } = input;
  const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
  const headers = { ...(body ? { 'content-type': 'application/json' } : {}), ...input.headers };
  const answer = await exchange(socketPath, { method, path, headers, body, signal }).catch(
    (error: unknown) => {
      throw explainConnection(error, socketPath);
    },
  );
  return readReply(answer);
}

/**
 * Sends one request and returns the answer's raw bytes.
 * @throws ApiError when the status is not 200
 */
export async function download(socketPath: string, input: Call): Promise<IncomingMessage> {
  const { readAnswer, send } = await streamed();
  const response = await send(socketPath, input);
  if (response.statusCode === 200) return response;
  const answer = await readAnswer(response, socketPath);
  readReply(answer);
  throw new ApiError(answer.status, unexpected(answer));
}

/** Loaded only for bodies that are streams, because `node:http` takes long to load. */
function streamed(): Promise<typeof import('./streamed-exchange.ts')> {
  return import('./streamed-exchange.ts');
}

function readReply(answer: PlainAnswer): Reply {
  const envelope = parseEnvelope(answer.body.toString('utf8'));
  if (!envelope) throw new ApiError(answer.status, unexpected(answer));
  if (envelope['type'] === 'error') {
    const status = Number(envelope['error_code']) || answer.status;
    throw new ApiError(status, String(envelope['error'] ?? '') || unexpected(answer));
  }
  return {
    envelope,
    metadata: envelope['metadata'],
    etag: answer.headers['etag'],
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

function unexpected({ status, reason }: PlainAnswer): string {
  return `The daemon's answer is not the host API's: ${status} ${reason}`.trim();
}
