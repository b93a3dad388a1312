import type { ClientRequest, IncomingMessage } from 'node:http';

/**
 * Node's HTTP. Importing the module would also load Node's `fetch` and `WebSocket`, which are not used here;
 * that takes a seventh of the time that `porthole` needs to start.
 */
export const { request, STATUS_CODES } = process.getBuiltinModule('node:http');

/** Node reads any three digits as a status; with fewer than this there is no answer to pass on. */
const STATUS_MIN = 200;

/**
 * Waits for the answer to a request. Rejects if there is none, also if the other side switches to a protocol that was
 * not asked for. Errors after the answer has begun are the reader's to notice, by the end of the answer.
 */
export function answerTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', (answer) => {
      if ((answer.statusCode ?? 0) >= STATUS_MIN) resolve(answer);
      else outgoing.destroy(new Error(`the status is ${answer.statusCode}`));
    });
    outgoing.on('error', reject);
    outgoing.once('close', () => reject(new Error('the connection was closed')));
  });
}
