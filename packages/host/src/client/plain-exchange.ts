import { connect } from 'node:net';
import { AnswerReader, type PlainAnswer } from './answer-reader.ts';
import type { Headers } from './requests.ts';

/** A request whose body, if it has one, is known as a whole. */
export interface PlainRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body?: Buffer | undefined;
  readonly signal?: AbortSignal | undefined;
}

const TOKEN = /^[!#$%&'*+.^`|~\w-]+$/;
const PATH = /^[\x21-\x7e\x80-\xff]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Sends one request on a connection of its own, and reads the whole answer. `node:http` does the same, but it takes
 * long to load. The request is one of HTTP/1.0: so its answer ends with the connection or has its length, and has no
 * chunks.
 * @throws Error with a system's code when the connection fails, with HPE_INVALID when the answer is not HTTP;
 *   TypeError when the request would not be valid HTTP
 */
export function exchange(socketPath: string, request: PlainRequest): Promise<PlainAnswer> {
  const head = headOf(request);
  const { method, body, signal } = request;
  return new Promise((resolve, reject) => {
    const reader = new AnswerReader(method);
    const socket = connect({ path: socketPath, ...(signal ? { signal } : {}) });
    const take = (step: () => PlainAnswer | undefined) => {
      try {
        const answer = step();
        if (!answer) return;
        resolve(answer);
      } catch (error) {
        reject(error as Error);
      }
      socket.destroy();
    };
    socket.on('data', (chunk: Buffer) => take(() => reader.push(chunk)));
    socket.on('end', () => take(() => reader.end()));
    socket.on('error', reject);
    socket.write(head, 'latin1');
    if (body) socket.write(body);
  });
}

function headOf({ method, path, headers, body }: PlainRequest): string {
  if (!TOKEN.test(method)) throw new TypeError(`Method must be a valid HTTP token ["${method}"]`);
  if (!PATH.test(path)) throw new TypeError('Request path contains unescaped characters');
  const all = { host: 'porthole', ...headers, ...(body ? { 'content-length': body.length } : {}) };
  const lines = Object.entries(all).map(([name, value]) => {
    if (!TOKEN.test(name) || !VALUE.test(String(value)))
      throw new TypeError(`Invalid character in header content ["${name}"]`);
    return `${name}: ${value}\r\n`;
  });
  return `${method} ${path} HTTP/1.0\r\n${lines.join('')}\r\n`;
}
