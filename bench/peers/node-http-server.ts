// Plain `node:http`, written in the usual way. Argument 1 is the socket to serve.
import { chmodSync } from 'node:fs';
import { createServer } from 'node:http';
import { KEY_TARGET, SERVER_BODY, SERVER_TARGET, VALUE } from './peer.ts';

const ANSWERS: Readonly<Record<string, readonly [type: string, body: string]>> = {
  [SERVER_TARGET]: ['application/json', SERVER_BODY],
  [KEY_TARGET]: ['application/octet-stream', VALUE],
};
const ANYONE = 0o666;

const socket = process.argv[2] as string;
const server = createServer((request, response) => {
  const answer = ANSWERS[request.url ?? ''];
  if (!answer) {
    response.writeHead(404, { 'Content-Length': 0 }).end();
    return;
  }
  const [type, body] = answer;
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
server.listen({ path: socket, backlog: 4096 }, () => chmodSync(socket, ANYONE));
