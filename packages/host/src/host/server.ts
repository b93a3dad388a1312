import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Log } from '../base/log.ts';
import { sharedReading } from '../base/shared-reading.ts';
import { socketRemover } from '../base/socket-file.ts';
import {
  descriptorOf,
  type EndReason,
  type InheritedSocket,
  type Keep,
  type LeftSockets,
  leave,
} from '../base/sockets.ts';
import { hostError } from '../core/host-errors.ts';
import { createApp } from './app.ts';
import type { HostBackend } from './backend.ts';
import type { Edge } from './call.ts';
import { EventStreams } from './event-streams.ts';
import { ExecTable } from './exec-table.ts';
import { failureOf } from './failures.ts';
import { BACKLOG, EXEC_HAND_OVER_MS, LEFT_CONNECTIONS_MAX } from './host-limits.ts';
import { LogStreams } from './log-streams.ts';
import { answerForProject } from './project.ts';
import { ROUTES } from './routes.ts';
import { placeSocket } from './socket-file.ts';
import { createUpgrader, refuse } from './upgrade.ts';
import type { UpgradeHandler } from './websockets.ts';

export interface HostServerOptions {
  readonly log: Log;
  /**
   * Settles when it is known whether an instance, or each of all, runs: this takes a moment after a start.
   */
  readonly recognised?: Edge['recognised'];
  /** How often listeners are pinged. */
  readonly keepaliveMs?: number;
}

/** The host API on a Unix socket. */
export class HostServer {
  readonly #edge: Edge;
  readonly #events: EventStreams;
  readonly #app: FastifyInstance;
  readonly #upgrade = createUpgrader();
  #removeSocket = async () => {};
  readonly #connections = new Set<Socket>();
  #state: 'new' | 'listening' | 'stopping' = 'new';

  constructor(backend: HostBackend, { log, keepaliveMs, recognised = async () => {} }: HostServerOptions) {
    const bridges = sharedReading(() => backend.server.bridges());
    this.#edge = { backend, bridges, execs: new ExecTable(log), logs: new LogStreams(), log, recognised };
    this.#events = new EventStreams(backend, log, keepaliveMs);
    this.#app = createApp(this.#edge, (url) => findUpgrade(url) !== undefined);
  }

  /**
   * Serves on a path, where it replaces a stale socket file, or on a listening socket that was inherited;
   * once.
   * @throws Error when another daemon listens there
   */
  async listen(address: string | InheritedSocket): Promise<void> {
    this.#events.start();
    const { server } = this.#app;
    server.on('upgrade', (request, socket, head) => this.#handleUpgrade(request, socket, head));
    server.on('connection', (socket: Socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
    this.#removeSocket = await this.#listenAt(address);
    this.#state = 'listening';
  }

  async #listenAt(address: string | InheritedSocket): Promise<() => Promise<void>> {
    if (typeof address === 'string')
      return placeSocket(address, (temporary) => this.#app.listen({ path: temporary }));
    // Not by Fastify, which only takes addresses.
    await this.#app.ready();
    await new Promise<void>((resolve, reject) => {
      this.#app.server.once('error', reject).listen({ fd: address.fd, backlog: BACKLOG }, resolve);
    });
    return address.path === undefined ? async () => {} : socketRemover(address.path);
  }

  /** Serves connections that the daemon before this one has left. */
  takeOver(connections: readonly number[]): void {
    for (const fd of connections)
      this.#app.server.emit('connection', new Socket({ fd, allowHalfOpen: true }));
  }

  /**
   * Takes no new connections, ends event streams and lets running requests and execs finish; those that have
   * not finished after `graceMs` are cut off.
   */
  async stop(graceMs: number): Promise<void> {
    if (this.#state !== 'listening') return;
    this.#state = 'stopping';
    // If the socket file cannot be removed, the server ends anyway.
    await this.#removeSocket().catch(() => {});
    await this.#finish(graceMs, 'ended');
  }

  /**
   * As `stop`, but leaves the socket to the next daemon, with the connections that wait for accept(2) or have
   * not sent anything yet.
   */
  async leaveSockets(graceMs: number, keep: Keep): Promise<LeftSockets> {
    this.#state = 'stopping';
    const listener = keep(descriptorOf(this.#app.server));
    const silent = [...this.#connections].filter((socket) => socket.bytesRead === 0);
    const connections = leave(silent.slice(0, LEFT_CONNECTIONS_MAX), keep);
    await this.#finish(graceMs, 'restarting');
    return { listener, connections };
  }

  async #finish(graceMs: number, reason: EndReason): Promise<void> {
    this.#events.stop(reason);
    this.#edge.logs.stop();
    const closed = this.#app.close();
    // An open shell must not delay the next daemon, and neither must a client that does not read its log.
    const execMs = reason === 'restarting' ? Math.min(graceMs, EXEC_HAND_OVER_MS) : graceMs;
    const execTimer = setTimeout(() => {
      this.#edge.execs.stop();
      this.#edge.logs.cut();
    }, execMs);
    const timer = setTimeout(() => {
      this.#events.cut();
      this.#app.server.closeAllConnections();
    }, graceMs);
    await closed;
    await this.#edge.execs.idle();
    clearTimeout(execTimer);
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
