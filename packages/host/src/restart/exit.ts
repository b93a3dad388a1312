import type { Keep, LeftSockets } from '../base/sockets.ts';
import { duplicate } from '../native/descriptors.ts';
import type { Inherited } from './inherited.ts';

/** A server that can end for good, or leave its socket to the next one. */
interface Server {
  stop(graceMs: number): Promise<void>;
  leaveSockets(graceMs: number, keep: Keep): Promise<LeftSockets>;
}

/** Where the two sockets are. */
interface SocketPaths {
  readonly guestSocket: string;
  readonly hostSocket: string;
}

/** How long requests of guests may take to end when the daemon is replaced: other clients wait meanwhile. */
const HAND_OVER_GRACE_MS = 2_000;

/** How the daemon ends: for good, or so that the next one in the same process takes over. */
export class Exit {
  readonly graceMs: number;
  readonly #inherited: Inherited;
  readonly #left: { guest?: LeftSockets; host?: LeftSockets } = {};
  #isTakenOver = false;

  constructor(graceMs: number, inherited: Inherited) {
    this.graceMs = graceMs;
    this.#inherited = inherited;
  }

  get isTakenOver(): boolean {
    return this.#isTakenOver;
  }

  /** From now on servers leave their sockets instead of closing them. */
  beginTakeOver(): void {
    this.#isTakenOver = true;
  }

  /** Ends a server: it stops, or leaves its sockets. */
  async end(name: 'guest' | 'host', server: Server): Promise<void> {
    if (!this.#isTakenOver) return server.stop(this.graceMs);
    const graceMs = name === 'guest' ? Math.min(this.graceMs, HAND_OVER_GRACE_MS) : this.graceMs;
    this.#left[name] = await server.leaveSockets(graceMs, duplicate);
  }

  /** The lock and the sockets for the next daemon, once both servers have ended. */
  left(lock: number, paths: SocketPaths): Inherited {
    const { guest, host } = this.#left;
    return {
      lock,
      ...(guest ? { guest: { fd: guest.listener, path: this.#name('guest', paths.guestSocket) } } : {}),
      ...(host ? { host: { fd: host.listener, path: this.#name('host', paths.hostSocket) } } : {}),
      guestConnections: guest?.connections ?? [],
      hostConnections: host?.connections ?? [],
    };
  }

  /** The path of a socket; undefined if a service manager has opened it, which then owns the file. */
  #name(name: 'guest' | 'host', path: string): string | undefined {
    const inherited = this.#inherited[name];
    return inherited ? inherited.path : path;
  }
}
