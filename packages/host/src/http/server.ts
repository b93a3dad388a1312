import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Log } from '../base/log.ts';
import type { EndReason, Keep, LeftSockets } from '../base/sockets.ts';
import { close } from '../native/libc.ts';
import { refuseDescriptors } from '../native/sockets.ts';
import type { Application } from './application.ts';
import type { Limits } from './connection-limits.ts';
import { Connections } from './connections.ts';
import type { FrontEnd, HandedOver } from './front-end.ts';
import { BACKLOG, type ListenAddress, type Listening, openListener } from './listener.ts';

const TAKES_DESCRIPTORS =
  'before Linux 6.16 the kernel cannot refuse descriptors on the socket: a hostile instance can stop it for all (docs/security.md)';

/** When accept fails (no free descriptor), the log gets one message in this time, not one per connection. */
const ACCEPT_LOG_MS = 10_000;

export interface HttpServerOptions<Peer> {
  readonly application: Application<Peer>;
  readonly limits: Limits;
  readonly log: Log;
  /** Accepts in place of this server. */
  readonly frontEnd?: FrontEnd<Peer> | undefined;
}

/** A strict HTTP/1 server on a Unix socket, for untrusted clients. */
export class HttpServer<Peer> {
  readonly #log: Log;
  readonly #server: Server;
  readonly #connected: Connections<Peer>;
  #frontEnd: FrontEnd<Peer> | undefined;
  #listening: Listening | undefined;
  #accepted = 0;
  #acceptLoggedMs = Number.NEGATIVE_INFINITY;
  #stopping = false;

  constructor({ application, limits, log, frontEnd }: HttpServerOptions<Peer>) {
    this.#log = log;
    this.#frontEnd = frontEnd;
    this.#connected = new Connections(application, limits, log);
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Listens; when it settles, connections are served. @throws when it cannot listen at the address */
  async listen(address: ListenAddress): Promise<void> {
    this.#listening = await openListener(address);
    if (!this.#listening.refusesDescriptors) this.#log.warn({}, TAKES_DESCRIPTORS);
    const frontEnd = this.#frontEnd;
    if (frontEnd?.works) {
      frontEnd.serve(this.#listening.fd, {
        take: (each) => this.#take(each),
        keep: (fd) => this.#connected.keep(fd),
        alone: () => this.#goOnAlone(),
      });
    } else {
      this.#frontEnd = undefined;
      await this.#acceptFrom(this.#listening.fd);
    }
  }

  /** Serves connections that the previous server has left, as if they were new. */
  takeOver(connections: readonly number[]): void {
    for (const fd of connections) refuseDescriptors(fd);
    if (this.#frontEnd !== undefined) this.#frontEnd.takeOver(connections);
    else for (const fd of connections) this.#connected.acceptLeft(fd);
  }

  /** Open connections, including those that are being refused or closed. */
  connections(): number {
    return this.#connected.count + (this.#frontEnd?.connections() ?? 0);
  }

  /** Ends at once every connection whose peer matches, except those of the front end; returns how many. */
  closeWhere(matches: (peer: Peer) => boolean): number {
    return this.#connected.closeWhere(matches);
  }

  /**
   * Removes the socket, answers the clients that are already connected or wait to be accepted, and closes.
   * Connections that are still open after `graceMs` are cut.
   */
  async stop(graceMs: number): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#connected.endNew('ended');
    await this.#stopAccepting();
    await this.#connected.settled();
    await this.#finish(graceMs, 'ended');
  }

  /**
   * Lets requests end and leaves the rest to the next server, unnoticed by clients: it answers those that
   * wait to be accepted, and those that are connected and silent.
   */
  async leaveSockets(graceMs: number, keep: Keep): Promise<LeftSockets> {
    const listener = keep(this.#listening!.fd);
    await this.#frontEnd?.stop({ acceptWaiting: false, leave: true });
    await this.#connected.settled();
    this.#stopping = true;
    this.#connected.endNew('restarting');
    const connections = this.#connected.leave(keep);
    await this.#finish(graceMs, 'restarting');
    return { listener, connections };
  }

  async #finish(graceMs: number, reason: EndReason): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#connected.endAll(reason);
    const cut = setTimeout(() => this.#connected.cut(), graceMs);
    await closed;
    await this.#connected.empty();
    clearTimeout(cut);
  }

  /** Accepts all that connected while the socket still had its name: no client can connect after that. */
  async #stopAccepting(): Promise<void> {
    const listening = this.#listening;
    const frontEnd = this.#frontEnd;
    await listening?.unlink?.();
    if (frontEnd !== undefined && listening !== undefined) {
      await frontEnd.stop({ acceptWaiting: listening.unlink !== undefined, leave: false });
      // An inherited socket belongs to the next server.
      if (listening.unlink !== undefined) close(listening.fd);
    } else if (listening?.unlink !== undefined) await this.#acceptWaiting();
  }

  async #acceptWaiting(): Promise<void> {
    let before: number;
    do {
      before = this.#accepted;
      // Between two checks the event loop polls once.
      await nextTurn();
      await nextTurn();
    } while (this.#accepted !== before);
  }

  #acceptFrom(fd: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ fd, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#acceptFailed(error));
        resolve();
      });
    });
  }

  /** The front end has failed: this server accepts the waiting connections, and all new ones. */
  #goOnAlone(): void {
    this.#frontEnd = undefined;
    if (this.#stopping || this.#listening === undefined) return;
    this.#acceptFrom(this.#listening.fd).catch((error) => this.#acceptFailed(error));
  }

  #accept(socket: Socket): void {
    this.#accepted++;
    this.#connected.accept(socket);
  }

  /** Takes a connection that the front end hands over, since it cannot answer a request on it. */
  #take(handed: HandedOver<Peer>): void {
    const { accepted } = handed;
    this.#connected.acceptHanded(handed, {
      begun: () => this.#frontEnd?.taken(accepted),
      ended: () => this.#frontEnd?.release(accepted),
    });
  }

  #acceptFailed(error: Error): void {
    const now = performance.now();
    if (now - this.#acceptLoggedMs < ACCEPT_LOG_MS) return;
    this.#acceptLoggedMs = now;
    this.#log.error(
      { error: error.message, connections: this.#connected.count },
      'accepting connections fails',
    );
  }
}
