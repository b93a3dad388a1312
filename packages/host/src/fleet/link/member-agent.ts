import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { CodedError, messageOf } from '../../base/coded-error.ts';
import { hostError } from '../../core/host-errors.ts';
import { readAddress } from './address.ts';
import { readGreeting } from './greeting.ts';
import { fingerprintOf, type Identity } from './identity.ts';
import {
  CONNECTIONS_TO_MEMBER_MAX,
  HANDSHAKE_MS,
  HANDSHAKES_TO_MEMBER_MAX,
  IDLE_CONNECTIONS_MAX,
  IDLE_MS,
  RESTART_MS,
  RESTART_RETRY_MS,
  STANDSTILL_MS,
} from './link-limits.ts';
import { noticeDeath } from './link-server.ts';

/** Another member, as the fleet knows it. */
export interface Peer {
  readonly name: string;
  /** `HOST:PORT`. */
  readonly address: string;
  /** sha256 of its certificate in DER form, 64 lower-case hex digits. */
  readonly fingerprint: string;
}

/** For errors of a member that is given up: it may still carry out the request when it goes on. */
const STANDS_STILL = 'its lease has ended, and nothing comes from it; the request may still be carried out';

/**
 * Connections to one member, kept between requests. A request is sent only when the other side has proved that it has
 * the member's key, and has accepted this one. Its errors are member-offline and member-refused, after which the request
 * was not sent, and member-lost: the request was sent, and the member may carry it out later.
 */
export class MemberAgent extends Agent {
  readonly #peer: Peer;
  readonly #identity: Identity;
  readonly #sockets = new Set<TLSSocket>();
  /** Those on which requests may have been sent. */
  readonly #used = new WeakSet<TLSSocket>();
  /** Requests that wait until they may connect, in their order. */
  readonly #waiting: ((socket: Promise<TLSSocket>) => void)[] = [];
  #handshakes = 0;
  readonly #handshakeMs: number;
  readonly #standstillMs: number;
  #closed = false;
  #isDoubted = false;
  /** Since when connections to it are refused, because nothing listens there. */
  #missedSince: number | undefined;

  constructor(peer: Peer, identity: Identity, handshakeMs = HANDSHAKE_MS, standstillMs = STANDSTILL_MS) {
    super({
      keepAlive: true,
      timeout: IDLE_MS,
      maxFreeSockets: IDLE_CONNECTIONS_MAX,
    });
    this.#peer = peer;
    this.#identity = identity;
    this.#handshakeMs = handshakeMs;
    this.#standstillMs = standstillMs;
  }

  /** Whether this agent still fits what the fleet knows. */
  fits({ address, fingerprint }: Peer): boolean {
    return address === this.#peer.address && fingerprint === this.#peer.fingerprint;
  }

  override createConnection(
    _options: unknown,
    done?: (error: Error | null, socket: TLSSocket) => void,
  ): undefined {
    this.#waiting.push((socket) => {
      socket.then(
        (connected) => done?.(null, connected),
        (error) => done?.(error, undefined as never),
      );
    });
    this.#begin();
  }

  /** A request that waits for a connection of its own cannot use a kept one. So a kept one ends, to make room. */
  override keepSocketAlive(socket: Duplex): boolean {
    // Node's types do not say what it returns.
    const isKept: unknown = super.keepSocketAlive(socket);
    return this.#waiting.length === 0 && isKept === true;
  }

  /** Node counts only open connections. The other side would refuse too many handshakes at once. */
  #begin(): void {
    while (
      this.#handshakes < HANDSHAKES_TO_MEMBER_MAX &&
      this.#sockets.size < CONNECTIONS_TO_MEMBER_MAX &&
      this.#waiting.length > 0
    ) {
      this.#handshakes++;
      const socket = this.#connectSoon();
      this.#waiting.shift()?.(socket);
      const over = () => {
        this.#handshakes--;
        this.#begin();
      };
      socket.then(over, over);
    }
  }

  /** Tries again while nothing listens: a daemon that restarts in place does not listen for a moment. */
  async #connectSoon(): Promise<TLSSocket> {
    for (;;) {
      try {
        const socket = await this.#connect();
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

  /** Ends all its connections, also those that are websockets now. */
  close(): void {
    this.#closed = true;
    this.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  /**
   * Call it when the member has no lease. Ends its connections when nothing comes from it any more. A member that only
   * does not reach etcd still takes new connections: it keeps all.
   * @param hasLease whether the member has a lease again
   */
  async doubt(hasLease: () => boolean): Promise<void> {
    if (this.#isDoubted) return;
    this.#isDoubted = true;
    do {
      const before = this.#open.map((socket) => ({ socket, bytes: socket.bytesRead }));
      const isThere = await this.#answers();
      const isSilent = before.every(({ socket, bytes }) => socket.bytesRead === bytes);
      if (isThere || !isSilent || hasLease()) continue;
      const { name } = this.#peer;
      const offline = hostError('member-offline', name, STANDS_STILL);
      for (const refuse of this.#waiting.splice(0)) refuse(Promise.reject(offline));
      for (const { socket } of before)
        socket.destroy(this.#used.has(socket) ? hostError('member-lost', name) : offline);
    } while (this.#open.length > 0 && !hasLease());
    this.#isDoubted = false;
  }

  get #open(): TLSSocket[] {
    return [...this.#sockets].filter(({ destroyed }) => !destroyed);
  }

  /** Whether the member takes a new connection, or refuses it. It takes the whole time to find out. */
  async #answers(): Promise<boolean> {
    const failure = this.#connect(this.#standstillMs).then(
      (socket) => void socket.destroy(),
      (error) => error,
    );
    await sleep(this.#standstillMs, undefined, { ref: false });
    return (await failure)?.code !== 'member-offline';
  }

  async #connect(handshakeMs = this.#handshakeMs): Promise<TLSSocket> {
    const { name } = this.#peer;
    if (this.#closed) throw hostError('member-offline', name, 'it has left the fleet, or moved');
    const socket = this.#dial();
    const timer = setTimeout(() => {
      socket.destroy(hostError('member-offline', name, 'no handshake in time'));
    }, handshakeMs);
    try {
      const why = await Promise.race([this.#shakeHands(socket), failureOf(socket)]);
      if (why !== undefined) throw hostError('member-refused', name, why);
      this.#used.add(socket);
      return socket;
    } catch (error) {
      socket.destroy();
      throw error instanceof CodedError ? error : this.#explain(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #dial(): TLSSocket {
    const { host, port } = readAddress(this.#peer.address);
    const socket = connect({
      ...{ host, port, secureContext: this.#identity.context },
      // Not by an authority and a name: `#shakeHands` looks at the fingerprint.
      ...{ rejectUnauthorized: false, checkServerIdentity: () => undefined },
    });
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#begin();
    });
    socket.on('error', () => {});
    socket.once('connect', () => noticeDeath(socket));
    return socket;
  }

  /** @returns why there is no link; undefined if there is one */
  async #shakeHands(socket: TLSSocket): Promise<string | undefined> {
    const greeted = readGreeting(socket);
    await new Promise<void>((resolve) => socket.once('secureConnect', resolve));
    const der = socket.getPeerX509Certificate()?.raw;
    if (der === undefined || fingerprintOf(der) !== this.#peer.fingerprint)
      return `its certificate is not that of the member, at ${this.#peer.address}`;
    return greeted;
  }

  #explain(error: unknown): CodedError {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const { name } = this.#peer;
    if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
      return hostError('member-refused', name, 'it does not speak TLS 1.3 as a member does');
    return Object.assign(hostError('member-offline', name, messageOf(error)), { cause: error });
  }
}

/** Nothing listens, or it has ended before it could greet. */
function isOfRestart(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'ECONNRESET';
}

/** Rejects when a connection fails or ends. */
function failureOf(socket: TLSSocket): Promise<never> {
  return new Promise((_, reject) => {
    socket.once('error', reject);
    socket.once('close', () =>
      reject(Object.assign(new Error('it ends the connection'), { code: 'ECONNRESET' })),
    );
  });
}
