import { createServer, type Server, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Log } from '../base/log.ts';
import { descriptorOf, type EndReason, type Keep, type LeftSockets, leave } from '../base/sockets.ts';
import { close } from '../native/libc.ts';
import { openFilesMax } from '../native/limits.ts';
import type { Accepted, Application } from './application.ts';
import { Arrivals } from './arrivals.ts';
import { Connection } from './connection.ts';
import { failureAnswer } from './errors.ts';
import { FairTurns } from './fair-turns.ts';
import type { Front, HandedOver } from './front.ts';
import { LEFT_CONNECTIONS_MAX, type Limits, scarceFrom, sweepMs } from './limits.ts';
import { BACKLOG, type ListenAddress, type Listening, openListener } from './listener.ts';
import { type Admission, Slots } from './slots.ts';

/** A failing accept (out of files) is told once in this time, not once per connection. */
const ACCEPT_LOG_MS = 10_000;

export interface HttpServerOptions<Peer> {
  readonly application: Application<Peer>;
  readonly limits: Limits;
  readonly log: Log;
  /** Accepts in this server's place. */
  readonly front?: Front<Peer> | undefined;
}

/** A strict HTTP/1 server on a Unix socket, for clients that nobody trusts. */
export class HttpServer<Peer> {
  private readonly application: Application<Peer>;
  private readonly limits: Limits;
  private readonly log: Log;
  private readonly server: Server;
  private readonly open = new Map<Socket, Connection<Peer>>();
  private readonly slots: Slots;
  private readonly turns: FairTurns;
  private front: Front<Peer> | undefined;
  private listening: Listening | undefined;
  private sweeper: NodeJS.Timeout | undefined;
  private accepted = 0;
  private acceptLoggedMs = Number.NEGATIVE_INFINITY;
  private stopping: EndReason | undefined;
  /** Told each time the last connection has closed. */
  private emptied = () => {};
  private readonly arrivals: Arrivals<Peer>;
  /** Numbers from here on are given out when few descriptors are left: always the smallest is. */
  private readonly scarceFrom = scarceFrom(openFilesMax());

  constructor({ application, limits, log, front }: HttpServerOptions<Peer>) {
    this.application = application;
    this.limits = limits;
    this.log = log;
    this.front = front;
    this.arrivals = new Arrivals(application, log);
    this.turns = new FairTurns((error) => log.error({ err: error }, 'work of a guest failed'));
    this.slots = new Slots(limits.connectionsPerKey, limits.connectionsTotal);
    this.server = createServer({ allowHalfOpen: true }, (socket) => this.accept(socket));
  }

  /** Listens; when it settles, connections are served. @throws when the address cannot be had */
  async listen(address: ListenAddress): Promise<void> {
    this.listening = await openListener(address);
    const { front } = this;
    if (front?.works) {
      front.serve(this.listening.fd, {
        take: (each) => this.take(each),
        keep: (fd) => this.arrivals.keep(fd),
        alone: () => this.goOnAlone(),
      });
    } else {
      this.front = undefined;
      await this.acceptFrom(this.listening.fd);
    }
    this.sweeper = setInterval(() => this.sweep(), sweepMs(this.limits));
    this.sweeper.unref();
  }

  /** Serves connections that the server before us has left, as if they were new. */
  takeOver(connections: readonly number[]): void {
    if (this.front !== undefined) this.front.takeOver(connections);
    else for (const fd of connections) this.takeUnknown(fd);
  }

  /** Open connections, those that are being refused or closed included. */
  connections(): number {
    return this.open.size + (this.front?.connections() ?? 0);
  }

  /** Ends at once every connection whose peer matches; returns how many. Those of the front are its own. */
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
    this.stopping = 'ended';
    await this.stopAccepting();
    await this.turns.settled();
    await this.finish(graceMs, 'ended');
  }

  /**
   * Lets requests end and leaves the rest to the next server, which is not noticed by clients: who waits to be
   * accepted, and who is connected and silent, is answered by that one.
   */
  async handOver(graceMs: number, keep: Keep): Promise<LeftSockets> {
    const listener = keep(this.listening!.fd);
    await this.front?.stop(false, true);
    await this.turns.settled();
    this.stopping = 'restarting';
    const silent = [...this.open].filter(([, connection]) => connection.silent).map(([socket]) => socket);
    const connections = leave(silent.slice(0, LEFT_CONNECTIONS_MAX), keep);
    connections.push(...this.arrivals.leave(keep));
    await this.finish(graceMs, 'restarting');
    return { listener, connections };
  }

  private async finish(graceMs: number, reason: EndReason): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const connection of [...this.open.values()]) connection.shutdown(performance.now(), reason);
    const cut = setTimeout(() => this.cut(), graceMs);
    await closed;
    if (this.open.size > 0) {
      await new Promise<void>((resolve) => {
        this.emptied = resolve;
      });
    }
    clearTimeout(cut);
    clearInterval(this.sweeper);
  }

  /** Accepts whoever connected while the socket still had its name: nobody can come after them. */
  private async stopAccepting(): Promise<void> {
    const { listening, front } = this;
    await listening?.unlink?.();
    if (front !== undefined && listening !== undefined) {
      await front.stop(listening.unlink !== undefined, false);
      // An inherited socket belongs to who comes after us.
      if (listening.unlink !== undefined) close(listening.fd);
    } else if (listening?.unlink !== undefined) await this.acceptWaiting();
  }

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

  private acceptFrom(fd: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ fd, backlog: BACKLOG }, () => {
        this.server.off('error', reject);
        this.server.on('error', (error) => this.acceptFailed(error));
        resolve();
      });
    });
  }

  /** The front has failed: whoever connects from now on, or is waiting, is served all the same. */
  private goOnAlone(): void {
    this.front = undefined;
    if (this.stopping || this.listening === undefined) return;
    this.acceptFrom(this.listening.fd).catch((error) => this.acceptFailed(error));
  }

  private accept(socket: Socket): void {
    this.accepted++;
    // First of all: an error that nobody listens to would end the process. `close` follows.
    socket.on('error', () => {});
    this.arrivals.identify(
      descriptorOf(socket),
      (known) => {
        if (!socket.destroyed) this.admit(socket, known);
      },
      () => socket.destroy(),
    );
  }

  /** What the front leaves to us: requests that are not for it. */
  private take(handed: HandedOver<Peer>): void {
    const { accepted } = handed;
    this.turns.add(accepted.key, () => {
      this.start(this.adopt(handed.fd), accepted, 'admitted', handed);
      this.front?.taken(accepted);
    });
  }

  private takeUnknown(fd: number): void {
    this.arrivals.identify(
      fd,
      (known) => this.admit(this.adopt(fd), known),
      () => close(fd),
    );
  }

  private adopt(fd: number): Socket {
    const socket = new Socket({ fd, allowHalfOpen: true });
    socket.on('error', () => {});
    return socket;
  }

  private admit(socket: Socket, accepted: Accepted<Peer>): void {
    const admission = this.slots.admit(accepted, descriptorOf(socket) >= this.scarceFrom);
    if (admission !== 'dropped') this.start(socket, accepted, admission);
    else if (accepted.rank === 'stranger') socket.destroy();
    else socket.end(failureAnswer('too-many-connections'), () => socket.destroy());
  }

  private start(
    socket: Socket,
    accepted: Accepted<Peer>,
    admission: Exclude<Admission, 'dropped'>,
    handed?: HandedOver<Peer>,
  ): void {
    if (handed !== undefined) this.resume(socket, handed);
    const turn = this.turns.of(accepted.key);
    const connection = new Connection(socket, accepted.peer, this.application, this.limits, turn);
    this.open.set(socket, connection);
    socket.on('close', () => {
      this.open.delete(socket);
      this.slots.release(accepted, admission);
      if (handed !== undefined) this.front?.release(accepted);
      if (this.open.size === 0) this.emptied();
    });
    if (admission === 'refused') connection.fail('too-many-connections');
    else if (handed?.last === true) connection.close();
    if (this.stopping) connection.shutdown(performance.now(), this.stopping);
  }

  /** A connection that comes from the front begins with what is left of its time there. */
  private resume(socket: Socket, { accepted, unread, unsent }: HandedOver<Peer>): void {
    this.slots.enter(accepted);
    if (unsent.length > 0) socket.write(unsent);
    if (unread.length > 0) socket.unshift(unread);
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
