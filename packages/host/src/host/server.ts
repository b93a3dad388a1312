import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Log } from '../base/log.ts';
import { hostError } from '../core/errors.ts';
import type { HostBackend } from '../ops/api.ts';
import { createApp } from './app.ts';
import type { Edge } from './call.ts';
import { failureOf } from './errors.ts';
import { EventStreams } from './event-streams.ts';
import { ExecTable } from './exec-table.ts';
import { answerForProject } from './project.ts';
import { ROUTES } from './routes.ts';
import { placeSocket } from './socket-file.ts';
import { createUpgrader, refuse } from './upgrade.ts';
import type { UpgradeHandler } from './websockets.ts';

export interface HostServerOptions {
  readonly log: Log;
  /** How often listeners are asked whether they are still there. */
  readonly keepaliveMs?: number;
}

/** The host API on a Unix socket. */
export class HostServer {
  readonly #edge: Edge;
  readonly #events: EventStreams;
  readonly #app: FastifyInstance;
  readonly #upgrade = createUpgrader();
  #removeSocket = async () => {};
  #state: 'new' | 'listening' | 'stopping' = 'new';

  constructor(backend: HostBackend, { log, keepaliveMs }: HostServerOptions) {
    this.#edge = { backend, execs: new ExecTable(log), log };
    this.#events = new EventStreams(backend, log, keepaliveMs);
    this.#app = createApp(this.#edge, (url) => findUpgrade(url) !== undefined);
  }

  /** Serves on a path, a stale socket file there replaced; once. @throws Error when somebody listens there */
  async listen(path: string): Promise<void> {
    this.#events.start();
    this.#app.server.on('upgrade', (request, socket, head) => this.#handleUpgrade(request, socket, head));
    this.#removeSocket = await placeSocket(path, (temporary) => this.#app.listen({ path: temporary }));
    this.#state = 'listening';
  }

  /**
   * Takes no new connections, ends event streams and lets running requests and execs finish; what has not
   * finished after `graceMs` is cut.
   */
  async stop(graceMs: number): Promise<void> {
    if (this.#state !== 'listening') return;
    this.#state = 'stopping';
    await this.#removeSocket();
    this.#events.stop();
    const closed = this.#app.close();
    const timer = setTimeout(() => {
      this.#events.cut();
      this.#edge.execs.stop();
      this.#app.server.closeAllConnections();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }

  #handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    try {
      if (this.#state === 'stopping') throw hostError('shutting-down');
      const found = findUpgrade(request.url ?? '');
      if (!found) throw hostError('not-found');
      const query = new URLSearchParams(request.url?.split('?').slice(1).join('?'));
      answerForProject('refused', 'GET', query);
      const claim = found.handler(this.#edge, this.#events, { params: found.params, query });
      this.#upgrade(claim, request, socket, head);
    } catch (error) {
      refuse(socket, failureOf(error, this.#edge.log));
    }
  }
}

/** The route of a path that answers websocket handshakes, with the values of its parameters. */
function findUpgrade(
  url: string,
): { handler: UpgradeHandler; params: Readonly<Record<string, string>> } | undefined {
  const parts = (url.split('?')[0] ?? '').split('/');
  for (const { path, upgrade } of ROUTES) {
    const names = path.split('/');
    if (!upgrade || names.length !== parts.length) continue;
    if (!names.every((name, at) => name.startsWith(':') || name === parts[at])) continue;
    const params = names.flatMap((name, at) =>
      name.startsWith(':') ? [[name.slice(1), parts[at] ?? '']] : [],
    );
    return { handler: upgrade, params: Object.fromEntries(params) };
  }
  return undefined;
}
