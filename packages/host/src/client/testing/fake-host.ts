import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { OperationJson } from '../../wire/operation.ts';

/** A request as it arrived. */
export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The answer of a fake host: an envelope with metadata, changed by the other fields. */
export interface Answer {
  readonly metadata?: unknown;
  readonly error?: readonly [status: number, message: string];
  readonly operation?: OperationJson;
  readonly etag?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Instead of an envelope. */
  readonly raw?: string;
}

type Handler = (request: Received) => Answer | Promise<Answer>;

/** A host API on a real Unix socket, whose answers come from a table. */
export interface FakeHost {
  readonly dir: string;
  readonly socketPath: string;
  readonly received: Received[];
  /** Answers by `METHOD /path`, without the query; may be changed at any time. */
  readonly routes: Record<string, Handler>;
  /** Called for each websocket with its path and query. */
  onSocket: (socket: WebSocket, url: string) => void;
  stop(): Promise<void>;
}

/** Starts a fake host in a directory of its own. */
export async function startFakeHost(routes: Record<string, Handler> = {}): Promise<FakeHost> {
  const dir = await mkdtemp('/var/tmp/porthole-client-');
  const socketPath = join(dir, 'unix.socket');
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer();
  const host: FakeHost = {
    dir,
    socketPath,
    received: [],
    routes,
    onSocket: () => {},
    async stop() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(dir, { recursive: true, force: true });
    },
  };
  server.on('request', async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = incoming;
    const request = { method, url, headers, body: Buffer.concat(chunks) };
    host.received.push(request);
    const handler = host.routes[`${method} ${url.split('?')[0]}`];
    const answer = handler ? await handler(request) : { error: [404, 'not found'] as const };
    outgoing.writeHead(statusOf(answer), {
      ...answer.headers,
      ...(answer.etag ? { etag: answer.etag } : {}),
    });
    outgoing.end(answer.raw ?? JSON.stringify(envelopeOf(answer)));
  });
  server.on('upgrade', (incoming, socket, head) => {
    sockets.handleUpgrade(incoming, socket, head, (opened) => host.onSocket(opened, incoming.url ?? ''));
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return host;
}

function statusOf(answer: Answer): number {
  return answer.error?.[0] ?? (answer.operation ? 202 : 200);
}

function envelopeOf({ error, operation, metadata = {} }: Answer): object {
  if (error) return { type: 'error', error_code: error[0], error: error[1], metadata: null };
  return operation ? { type: 'async', metadata: operation } : { type: 'sync', metadata };
}

/** A running operation, changed by `part`. */
export function fakeOperation(part: Partial<OperationJson> = {}): OperationJson {
  return {
    id: '11111111-2222-4333-8444-555555555555',
    class: 'task',
    description: 'Testing',
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    status: 'Running',
    status_code: 103,
    resources: null,
    metadata: null,
    may_cancel: false,
    err: '',
    location: 'none',
    ...part,
  };
}

/** An operation that has ended; with `err` it failed. */
export function finishedOperation(part: Partial<OperationJson> = {}): OperationJson {
  const failed = part.err !== undefined && part.err !== '';
  return fakeOperation({ status: failed ? 'Failure' : 'Success', status_code: failed ? 400 : 200, ...part });
}
