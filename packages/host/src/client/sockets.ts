import { connect } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { ApiError, explainConnection } from './client-errors.ts';

/** A running daemon answers the upgrade at once. */
const HANDSHAKE_TIMEOUT_MS = 5_000;

/**
 * Opens a websocket of the host API.
 * @param path path and query
 * @param prepare sets listeners before the first message can arrive
 * @throws ApiError when the daemon refuses the upgrade, ConnectionError when it cannot be reached
 */
export async function openSocket(
  socketPath: string,
  path: string,
  prepare: (socket: WebSocket) => void = () => {},
): Promise<WebSocket> {
  const { WebSocket } = await import('ws');
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://porthole${path}`, {
      createConnection: () => connect(socketPath),
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      perMessageDeflate: false,
    });
    prepare(socket);
    socket.on('open', () => resolve(socket));
    socket.on('error', (error) => reject(explainConnection(error, socketPath)));
    socket.on('unexpected-response', (_request, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        reject(refusal(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')));
        socket.terminate();
      });
    });
  });
}

function refusal(status: number, text: string): ApiError {
  try {
    return new ApiError(status, String((JSON.parse(text) as { error: unknown }).error));
  } catch {
    return new ApiError(status, `The daemon refused a websocket with status ${status}`);
  }
}

/** The bytes of a websocket message, in any form that the library gives them. */
export function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
