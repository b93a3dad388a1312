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
import { memberWith } from './elsewhere.ts';
import { EventStreams } from './event-streams.ts';
import { ExecTable } from './exec-table.ts';
import { failureOf } from './failures.ts';
import type { FleetCases } from './fleet-cases.ts';
import { Forwards } from './forwards.ts';
import { BACKLOG, EXEC_HAND_OVER_MS, LEFT_CONNECTIONS_MAX } from './host-limits.ts';
import { LogStreams } from './log-streams.ts';
import { answerForProject } from './project.ts';
import { relayUpgrade } from './relay-socket.ts';
import { isMembers, noteMember, requestorOf, senderOf } from './requestor.ts';
import { ROUTES } from './routes.ts';
import { placeSocket } from './socket-file.ts';
import { type Claim, createUpgrader, refuse } from './upgrade.ts';
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
    const parts = { execs: new ExecTable(log), logs: new LogStreams(), forwards: new Forwards() };
    this.#edge = { backend, bridges, ...parts, log, recognised };
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
      if (isMembers(socket)) return;
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

  /** Whether it takes connections. */
  get isListening(): boolean {
    return this.#state === 'listening';
  }

  /** Serves a connection of another member, whose requests are never passed on. */
  serveMember(socket: Socket, member: string): void {
    if (this.#state !== 'listening') {
      socket.destroy();
      return;
    }
    noteMember(socket, member);
    this.#app.server.emit('connection', socket);
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
      this.#edge.forwards.stop();
      this.#edge.logs.cut();
    }, execMs);
    const timer = setTimeout(() => {
      this.#events.cut();
      this.#app.server.closeAllConnections();
    }, graceMs);
    await closed;
    await this.#edge.execs.idle();
    await this.#edge.forwards.idle();
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
      const sender = senderOf(request);
      const { fleet } = this.#edge.backend;
      const connect = () => found.upgrade(this.#edge, this.#events, { params: found.params, query, sender });
      if (fleet === null || sender !== undefined) this.#upgrade(connect(), request, socket, head);
      else void this.#connectInFleet(fleet, { ...found, connect, request, socket, head });
    } catch (error) {
      refuse(socket, failureOf(error, this.#edge.log));
    }
  }

  /** The websocket may be another member's, and the events of other members must come in before it is open. */
  async #connectInFleet(fleet: FleetCases, handshake: Handshake): Promise<void> {
    const { request, socket, head, path, params } = handshake;
    // The client may go away meanwhile.
    socket.on('error', () => {});
    try {
      const by = requestorOf(request);
      const member = await memberWith(this.#edge, fleet, { path, params, by });
      if (member === null) return await this.#connectHere(handshake);
      const to = { member, by, agent: fleet.agent(member) };
      await this.#edge.forwards.run((signal) => relayUpgrade(request, socket, head, to, signal));
    } catch (error) {
      refuse(socket, failureOf(error, this.#edge.log));
    }
  }

  async #connectHere({ connect, request, socket, head }: Handshake): Promise<void> {
    const claim = connect();
    await claim.ready?.();
    const isOver = this.#state === 'stopping';
    if (!isOver && !socket.destroyed) {
      this.#upgrade(claim, request, socket, head);
      return;
    }
    claim.drop();
    if (isOver) throw hostError('shutting-down');
  }
}

/** A handshake, and what to do with it here. */
interface Handshake {
  /** The path of the route. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly connect: () => Claim;
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** The route of a path that answers websocket handshakes, with the values of its parameters. */
function findUpgrade(
  url: string,
): { path: string; upgrade: UpgradeHandler; params: Readonly<Record<string, string>> } | undefined {
  const parts = (url.split('?')[0] ?? '').split('/');
  for (const { path, upgrade } of ROUTES) {
    const names = path.split('/');
    if (!upgrade || names.length !== parts.length) continue;
    if (!names.every((name, at) => name.startsWith(':') || name === parts[at])) continue;
    const params = names.flatMap((name, at) =>
      name.startsWith(':') ? [[name.slice(1), parts[at] ?? '']] : [],
    );
    return { path, upgrade, params: Object.fromEntries(params) };
  }
  return undefined;
}
