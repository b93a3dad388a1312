import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { request } from '../base/node-http.ts';
import { ANSWER_BYTES_MAX, type PlainAnswer } from './answer-reader.ts';
import { ApiError, explainConnection } from './client-errors.ts';
import type { Call } from './requests.ts';

/** Otherwise Node works out a server name for TLS, with a pattern that takes long to compile. */
const NO_TLS = { servername: '' };

/**
 * Sends one request on a connection of its own; its body, and that of the answer, may be of any size.
 * @returns the answer, whose body is to be read or destroyed
 * @throws ConnectionError when the daemon cannot be reached
 */
export function send(socketPath: string, input: Call): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      socketPath,
      method: input.method,
      path: input.path,
      headers: { host: 'porthole', ...input.headers },
      agent: false,
      ...NO_TLS,
      ...(input.signal ? { signal: input.signal } : {}),
    });
    outgoing.on('response', resolve);
    outgoing.on('error', (error) => reject(explainConnection(error, socketPath)));
    writeBody(outgoing, input.body, reject);
  });
}

/**
 * A refusal may arrive, and end the connection, while the body is still sent: then only the answer counts.
 */
function writeBody(
  outgoing: ClientRequest,
  body: Readable | undefined,
  reject: (error: unknown) => void,
): void {
  if (!body) {
    outgoing.end();
    return;
  }
  outgoing.on('response', (response) => response.on('end', () => body.destroy()));
  body.on('error', reject);
  pipeline(body, outgoing).catch(() => {});
}

/** Reads the rest of an answer, as that of a plain request. */
export async function readAnswer(response: IncomingMessage, socketPath: string): Promise<PlainAnswer> {
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
  const { statusCode = 0, statusMessage = '' } = response;
  return { status: statusCode, reason: statusMessage, headers: {}, body: Buffer.concat(chunks) };
}
