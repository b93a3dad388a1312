import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Endpoint } from './endpoint.ts';

const POST = { path: '/v3/kv/txn', body: '{}' };
/** As many as an endpoint has connections. */
const CONNECTIONS = 32;

let server: Server;
let endpoint: Endpoint;
/** Answers that the server holds back. */
let held: ServerResponse[];
let arrived: () => void;

beforeEach(async () => {
  held = [];
  arrived = () => {};
  server = createServer((request, answer) => {
    request.resume();
    held.push(answer);
    arrived();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoint = new Endpoint(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {});
});
afterEach(async () => {
  endpoint.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function holds(count: number): Promise<void> {
  return new Promise((resolve) => {
    arrived = () => {
      if (held.length === count) resolve();
    };
    arrived();
  });
}

describe('a request that has waited for a connection', () => {
  it('may have been carried out when the connection breaks', async () => {
    const limits = { connectMs: 60_000, answerMs: 60_000 };
    const first = Array.from({ length: CONNECTIONS }, () => endpoint.post(POST, limits));
    await holds(CONNECTIONS);
    const late = endpoint.post(POST, limits);
    for (const answer of held.splice(0)) answer.end('{}');
    await Promise.all(first);
    await holds(1);
    held[0]?.socket?.destroy();
    await expect(late).rejects.toMatchObject({ means: { mayBeDone: true } });
  });

  it('has the whole time for its answer', async () => {
    const first = Array.from({ length: CONNECTIONS }, () =>
      endpoint.post(POST, { connectMs: 60_000, answerMs: 60_000 }),
    );
    await holds(CONNECTIONS);
    const late = endpoint.post(POST, { connectMs: 200, answerMs: 400 });
    for (const answer of held.splice(0)) answer.end('{}');
    await Promise.all(first);
    await holds(1);
    await expect(late).rejects.toThrow('no answer in 0.4 s');
  });
});
