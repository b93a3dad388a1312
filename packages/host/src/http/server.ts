import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import type { Accepted, Application } from './application.ts';
import { Connection } from './connection.ts';
import { failureAnswer } from './errors.ts';
import { HELD_MAX, type Limits } from './limits.ts';
import { type ListenAddress, listenAt } from './listener.ts';
import { Slots } from './slots.ts';

/** How exact timeouts are: the sweep runs four times in the shortest of them, between these bounds. */
const SWEEP_MS_MIN = 10;
const SWEEP_MS_MAX = 250;
/** A failing accept (out of files) is told once in this time, not once per connection. */
const ACCEPT_LOG_MS = 10_000;

export interface HttpServerOptions<Peer> {
  readonly application: Application<Peer>;
  readonly limits: Limits;
  readonly log: Log;
}

/** A strict HTTP/1 server on a Unix socket, for clients that nobody trusts. */
export class HttpServer<Peer> {
  private readonly application: Application<Peer>;
  private readonly limits: Limits;
  private readonly log: Log;
  private readonly server: Server;
  private readonly open = new Map<Socket, Connection<Peer>>();
  private readonly slots: Slots;
  private sweeper: NodeJS.Timeout | undefined;
  private unlink: (() => Promise<void>) | undefined;
  private accepted = 0;
  private acceptLoggedMs = Number.NEGATIVE_INFINITY;
  private stopping = false;
  private held = 0;

  constructor({ application, limits, log }: HttpServerOptions<Peer>) {
    this.application = application;
    this.limits = limits;
    this.log = log;
    this.slots = new Slots(limits.connectionsPerKey, limits.connectionsTotal);
    this.server = createServer({ allowHalfOpen: true }, (socket) => this.accept(socket));
  }

  /** Listens; when it settles, connections are served. @throws when the address cannot be had */
  async listen(address: ListenAddress): Promise<void> {
    this.unlink = await listenAt(this.server, address);
    this.server.on('error', (error) => this.acceptFailed(error));
    this.sweeper = setInterval(() => this.sweep(), sweepMs(this.limits));
    this.sweeper.unref();
  }

  /** Open connections, those that are being refused or closed included. */
  connections(): number {
    return this.open.size;
  }

  /** Ends at once every connection whose peer matches; returns how many. */
  closeWhere(matches: (peer: Peer) => boolean): number {
    let count = 0;
    for (const connection of [...this.open.values()]) {
      if (!matches(connection.peer)) continue;
      connection.destroy();
      count++;
    }
    return count;
  }

  /**
   * Takes the socket away, answers those who are already connected or waiting to be, and closes.
   * What is not done after `graceMs` is cut.
   */
  async stop(graceMs: number): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    if (this.unlink !== undefined) {
      await this.unlink();
      await this.acceptWaiting();
    }
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const connection of [...this.open.values()]) connection.shutdown(performance.now());
    const cut = setTimeout(() => this.cut(), graceMs);
    await closed;
    // The last sockets tell of their end just after the server has told of its own.
    while (this.open.size > 0) await nextTurn();
    clearTimeout(cut);
    clearInterval(this.sweeper);
  }

  /** Accepts whoever connected while the socket still had its name: nobody can come after them. */
  private async acceptWaiting(): Promise<void> {
    let before: number;
    do {
      before = this.accepted;
      // Between two checks the event loop has polled once.
      await nextTurn();
      await nextTurn();
    } while (this.accepted !== before);
  }

  private cut(): void {
    for (const socket of [...this.open.keys()]) socket.destroy();
  }

  private accept(socket: Socket): void {
    this.accepted++;
    // First of all: an error that nobody listens to would end the process. `close` follows.
    socket.on('error', () => {});
    try {
      const accepted = this.application.accept(descriptorOf(socket));
      if (accepted instanceof Promise) this.hold(socket, accepted);
      else this.admit(socket, accepted);
    } catch (error) {
      this.acceptBroke(socket, error);
    }
  }

  /** Keeps a connection unread until it is known whose it is. */
  private hold(socket: Socket, accepted: Promise<Accepted<Peer>>): void {
    if (this.held >= HELD_MAX) {
      socket.destroy();
      return;
    }
    this.held++;
    accepted
      .then((known) => {
        if (!socket.destroyed) this.admit(socket, known);
      })
      .catch((error) => this.acceptBroke(socket, error))
      .finally(() => {
        this.held--;
      });
  }

  private acceptBroke(socket: Socket, error: unknown): void {
    this.log.error({ error: messageOf(error) }, 'accepting a connection failed');
    socket.destroy();
  }

  private admit(socket: Socket, { peer, key }: Accepted<Peer>): void {
    const admission = this.slots.admit(key);
    if (admission === 'dropped') {
      socket.end(failureAnswer('too-many-connections'), () => socket.destroy());
      return;
    }
    const connection = new Connection(socket, peer, this.application, this.limits, performance.now());
    this.open.set(socket, connection);
    socket.on('close', () => {
      this.open.delete(socket);
      this.slots.release(key, admission);
    });
    if (admission === 'refused') connection.refuse('too-many-connections');
    else if (this.stopping) connection.shutdown(performance.now());
  }

  private acceptFailed(error: Error): void {
    const now = performance.now();
    if (now - this.acceptLoggedMs < ACCEPT_LOG_MS) return;
    this.acceptLoggedMs = now;
    this.log.error({ error: error.message, connections: this.open.size }, 'accepting connections fails');
  }

  private sweep(): void {
    const now = performance.now();
    for (const connection of this.open.values()) connection.sweep(now);
  }
}

function sweepMs(limits: Limits): number {
  const { requestTimeoutMs, idleTimeoutMs, stallTimeoutMs, lingerTimeoutMs } = limits;
  const shortest = Math.min(requestTimeoutMs, idleTimeoutMs, stallTimeoutMs, lingerTimeoutMs);
  return Math.min(SWEEP_MS_MAX, Math.max(SWEEP_MS_MIN, shortest / 4));
}

/** The number of the socket's file descriptor, which Node keeps to itself. */
function descriptorOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}
