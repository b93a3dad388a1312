import { Socket } from 'node:net';
import { ByteShares } from '../base/byte-shares.ts';
import type { Log } from '../base/log.ts';
import { descriptorOf, type EndReason, type Keep, leave } from '../base/sockets.ts';
import { close } from '../native/libc.ts';
import { openFilesMax } from '../native/rlimit.ts';
import type { Accepted, Application } from './application.ts';
import { Arrivals } from './arrivals.ts';
import { Connection } from './connection.ts';
import {
  LEFT_CONNECTIONS_MAX,
  type Limits,
  scarceFrom,
  sweepMs,
  UNTAKEN_BYTES,
} from './connection-limits.ts';
import { FairTurns } from './fair-turns.ts';
import type { HandedOver } from './front-end.ts';
import { failureAnswer } from './http-errors.ts';
import { type Admission, Slots } from './slots.ts';

/** How a front end is notified about a connection that it has handed over. */
export interface HandOverNews {
  /** The connection is served. */
  readonly begun: () => void;
  readonly ended: () => void;
}

/**
 * The connections of a server. Each is accepted, identified, admitted and started. A front end has already
 * identified and admitted the connections that it hands over.
 */
export class Connections<Peer> {
  readonly #application: Application<Peer>;
  readonly #limits: Limits;
  readonly #open = new Map<Socket, Connection<Peer>>();
  readonly #slots: Slots;
  readonly #turns: FairTurns;
  readonly #arrivals: Arrivals<Peer>;
  /** Bytes of answers that clients have not taken. */
  readonly #untaken = new ByteShares<string>(UNTAKEN_BYTES);
  /** A descriptor from this number on means that few are left: the kernel gives out the smallest free one. */
  readonly #scarceFrom = scarceFrom(openFilesMax());
  /** Runs while there are connections: without them, nothing wakes a server at rest. */
  #sweeper: NodeJS.Timeout | undefined;
  #ending: EndReason | undefined;
  /** Called each time the last connection has closed. */
  #emptied = () => {};

  constructor(application: Application<Peer>, limits: Limits, log: Log) {
    this.#application = application;
    this.#limits = limits;
    this.#arrivals = new Arrivals(application, log);
    this.#turns = new FairTurns((error) => log.error({ err: error }, 'work of a guest failed'));
    this.#slots = new Slots(limits.connectionsPerKey, limits.connectionsTotal);
  }

  /** Open connections, including those that are being refused or closed. */
  get count(): number {
    return this.#open.size;
  }

  /** Takes a connection that Node has accepted. */
  accept(socket: Socket): void {
    // Comes first: an error without a listener would end the process. `close` follows each error.
    socket.on('error', () => {});
    this.#arrivals.identify(
      descriptorOf(socket),
      (known) => {
        if (!socket.destroyed) this.#admit(socket, known);
      },
      () => socket.destroy(),
    );
  }

  /** Takes a connection that the previous server has left, as if it were new. */
  acceptLeft(fd: number): void {
    this.#arrivals.identify(
      fd,
      (known) => this.#admit(socketOf(fd), known),
      () => close(fd),
    );
  }

  /** Takes a connection that a front end hands over, when it is the turn of its key. */
  acceptHanded(handed: HandedOver<Peer>, { begun, ended }: HandOverNews): void {
    const { accepted, fd, unread, unsent, last } = handed;
    this.#turns.add(accepted.key, () => {
      const socket = socketOf(fd);
      this.#slots.enter(accepted);
      if (unsent.length > 0) socket.write(unsent);
      if (unread.length > 0) socket.unshift(unread);
      const connection = this.#start(socket, accepted, { admission: 'admitted', ended });
      if (last) connection.close();
      this.#shutdownIfEnding(connection);
      begun();
    });
  }

  /** Keeps a connection, unread, for the next server. */
  keep(fd: number): void {
    this.#arrivals.keep(fd);
  }

  #admit(socket: Socket, accepted: Accepted<Peer>): void {
    const admission = this.#slots.admit(accepted, descriptorOf(socket) >= this.#scarceFrom);
    if (admission !== 'dropped') {
      const connection = this.#start(socket, accepted, { admission });
      if (admission === 'refused') connection.fail('too-many-connections');
      this.#shutdownIfEnding(connection);
    } else if (accepted.rank === 'unknown') socket.destroy();
    else socket.end(failureAnswer('too-many-connections'), () => socket.destroy());
  }

  /** @param how `ended` is called when the connection has closed and its place is free */
  #start(
    socket: Socket,
    accepted: Accepted<Peer>,
    how: { readonly admission: Exclude<Admission, 'dropped'>; readonly ended?: () => void },
  ): Connection<Peer> {
    const owner = { turn: this.#turns.of(accepted.key), untaken: this.#untaken.of(accepted.key) };
    const connection = new Connection(socket, accepted.peer, this.#application, this.#limits, owner);
    this.#open.set(socket, connection);
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs(this.#limits)).unref();
    socket.on('close', () => {
      this.#open.delete(socket);
      this.#slots.release(accepted, how.admission);
      how.ended?.();
      if (this.#open.size === 0) this.#beEmpty();
    });
    return connection;
  }

  #beEmpty(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
    this.#emptied();
  }

  #shutdownIfEnding(connection: Connection<Peer>): void {
    if (this.#ending) connection.shutdown(performance.now(), this.#ending);
  }

  /** Closes the connections that have been silent, or slow, for too long. */
  #sweep(): void {
    const now = performance.now();
    for (const connection of this.#open.values()) connection.sweep(now);
  }

  /** Ends at once every connection whose peer matches; returns how many. */
  closeWhere(matches: (peer: Peer) => boolean): number {
    let count = 0;
    for (const connection of [...this.#open.values()]) {
      if (!matches(connection.peer)) continue;
      connection.destroy();
      count++;
    }
    return count;
  }

  /** New connections will be ended after their answer. */
  endNew(reason: EndReason): void {
    this.#ending = reason;
  }

  /** The same for the connections that are open now. */
  endAll(reason: EndReason): void {
    for (const connection of [...this.#open.values()]) connection.shutdown(performance.now(), reason);
  }

  /** Settles when all work that waits for its turn now has been done. */
  settled(): Promise<void> {
    return this.#turns.settled();
  }

  /** Settles when no connection is open. */
  async empty(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
  }

  cut(): void {
    for (const socket of [...this.#open.keys()]) socket.destroy();
  }

  /** Gives away the connections that are silent or not identified yet, without ending them. */
  leave(keep: Keep): number[] {
    const silent = [...this.#open].filter(([, connection]) => connection.silent).map(([socket]) => socket);
    return [...leave(silent.slice(0, LEFT_CONNECTIONS_MAX), keep), ...this.#arrivals.leave(keep)];
  }
}

function socketOf(fd: number): Socket {
  const socket = new Socket({ fd, allowHalfOpen: true });
  socket.on('error', () => {});
  return socket;
}
