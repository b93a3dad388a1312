import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import {
  CONNECTIONS_TO_MEMBER_MAX,
  HANDSHAKES_TO_MEMBER_MAX,
  RESTART_MS,
  RESTART_RETRY_MS,
} from './link-limits.ts';
import type { MemberConnections } from './member-connections.ts';

/**
 * The requests that wait until they may connect to one member, in their order. Node's limits count only open connections,
 * and the other side would refuse too many handshakes at once.
 */
export class ConnectionQueue {
  readonly #connections: MemberConnections;
  readonly #handshakeMs: number;
  readonly #waiting: ((socket: Promise<TLSSocket>) => void)[] = [];
  #handshakes = 0;
  /** Since when connections to the member are refused, because nothing listens there. */
  #missedSince: number | undefined;

  constructor(connections: MemberConnections, handshakeMs: number) {
    this.#connections = connections;
    this.#handshakeMs = handshakeMs;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Waits for its turn, then connects. @throws member-offline, member-refused */
  connect(): Promise<TLSSocket> {
    const { promise, resolve } = Promise.withResolvers<TLSSocket>();
    this.#waiting.push(resolve);
    this.begin();
    return promise;
  }

  /** Connects those whose turn it is. To be called when a connection has ended. */
  begin(): void {
    while (
      this.#handshakes < HANDSHAKES_TO_MEMBER_MAX &&
      this.#connections.count < CONNECTIONS_TO_MEMBER_MAX &&
      this.#waiting.length > 0
    ) {
      this.#handshakes++;
      const socket = this.#connectSoon();
      this.#waiting.shift()?.(socket);
      const over = () => {
        this.#handshakes--;
        this.begin();
      };
      socket.then(over, over);
    }
  }

  /** Ends the wait of all with an error. */
  refuse(error: Error): void {
    for (const take of this.#waiting.splice(0)) take(Promise.reject(error));
  }

  /** Tries again while nothing listens: a daemon that restarts in place does not listen for a moment. */
  async #connectSoon(): Promise<TLSSocket> {
    for (;;) {
      try {
        const socket = await this.#connections.connect(this.#handshakeMs);
        this.#missedSince = undefined;
        return socket;
      } catch (error) {
        if (!isOfRestart(error)) throw error;
        this.#missedSince ??= performance.now();
        if (performance.now() - this.#missedSince > RESTART_MS) throw error;
        await sleep(RESTART_RETRY_MS);
      }
    }
  }
}

/** Nothing listens, or it has ended before it could greet. */
function isOfRestart(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'ECONNRESET';
}
