import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Destination, relay } from './relay.ts';
import { relayUpgrade } from './relay-socket.ts';

// The client goes while it is found out which member has what it asks for.
let front: Server;
let member: Server;
let to: Destination;
let asked: number;
const signal = new AbortController().signal;

beforeEach(async () => {
  asked = 0;
  member = createServer((_request, response) => {
    asked++;
    response.end('answer');
  });
  member.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    asked++;
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  });
  front = createServer();
  for (const server of [front, member]) await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = member.address() as AddressInfo;
  class ToMember extends Agent {
    override createConnection() {
      return connect(port, '127.0.0.1');
    }
  }
  const by = { username: 'root', protocol: 'unix', address: '@' } as const;
  to = { member: 'm2', agent: new ToMember(), by };
});

afterEach(() => {
  for (const server of [front, member]) {
    server.closeAllConnections();
    server.close();
  }
});

const at = (headers: Record<string, string> = {}) =>
  request({ port: (front.address() as AddressInfo).port, host: '127.0.0.1', agent: false, headers })
    .on('error', () => {})
    .end();

it('A request whose client has gone is not passed on, and nothing waits for it', async () => {
  const client = at();
  const [incoming, response] = await once(front, 'request');
  client.destroy();
  await once(response, 'close');
  const options = { body: undefined, begun: () => {}, signal };
  await expect(relay(incoming, response, to, options)).rejects.toThrow();
  expect(asked).toBe(0);
});

it('A handshake whose client has gone is not passed on, and nothing waits for it', async () => {
  const client = at({ connection: 'Upgrade', upgrade: 'websocket' });
  const [incoming, socket] = (await once(front, 'upgrade')) as [IncomingMessage, Socket];
  socket.on('error', () => {});
  client.destroy();
  await once(socket.destroy(), 'close');
  await expect(relayUpgrade(incoming, socket, Buffer.alloc(0), to, signal)).rejects.toThrow();
  expect(asked).toBe(0);
});
