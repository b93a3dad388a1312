import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Log } from '../../base/log.ts';
import { descriptorOf } from '../../base/sockets.ts';
import { setUserTimeout } from '../../native/tcp.ts';
import type { Address } from './address.ts';
import { greeting, type Refusal } from './greeting.ts';
import { fingerprintOf, type Identity } from './identity.ts';
import {
  CONNECTIONS_PER_MEMBER_MAX,
  HANDSHAKE_MS,
  HANDSHAKES_MAX,
  PROBE_AFTER_MS,
  REFUSAL_MS,
  SILENCE_MS_MAX,
} from './link-limits.ts';

/** The members of the fleet: the name of each, by the fingerprint of its certificate. */
export type KnownMembers = () => ReadonlyMap<string, string>;

export interface LinkServerOptions {
  readonly identity: Identity;
  readonly known: KnownMembers;
  /** Takes the connection of a member. */
  readonly serve: (socket: TLSSocket, member: string) => void;
  /** Whether it takes any now; if not, they end before their greeting, so that the member tries again. */
  readonly isServing?: () => boolean;
  readonly log: Log;
  /** How long a handshake may take. */
  readonly handshakeMs?: number;
}

/**
 * Accepts connections of other members, and of nobody else: TLS 1.3 only, and both sides prove that they have the key of
 * a certificate whose fingerprint is a member's.
 */
export class LinkServer {
  readonly #options: LinkServerOptions;
  readonly #server: Server;
  /** Connections whose handshake is not done, the oldest first, by the address of the other side. */
  readonly #handshakes = new Map<string, Socket>();
  /** The fingerprint of the member for each connection. */
  readonly #connections = new Map<TLSSocket, string>();

  constructor(options: LinkServerOptions) {
    this.#options = options;
    this.#server = createServer({
      ...options.identity.tls,
      requestCert: true,
      // Not by an authority: `#accept` looks at the fingerprint. OpenSSL still checks that the other side has the key.
      rejectUnauthorized: false,
      handshakeTimeout: options.handshakeMs ?? HANDSHAKE_MS,
    });
    this.#server.on('connection', (socket: Socket) => this.#watch(socket));
    this.#server.on('secureConnection', (socket) => this.#accept(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      options.log.debug({ reason: error.message }, 'handshake on the member link failed');
      socket.destroy();
    });
  }

  /** Begins to accept. @returns the port @throws Error if the address cannot be used; it can be tried again */
  async listen({ host, port }: Pick<Address, 'host' | 'port'>): Promise<number> {
    this.#server.listen({ host, port });
    await once(this.#server, 'listening');
    this.#server.on('error', (error) => this.#options.log.error({ err: error }, 'member link failed'));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends the connections of those that are no members any more. To be called when the known members have changed. */
  recheck(): void {
    const known = this.#options.known();
    for (const [socket, fingerprint] of this.#connections) if (!known.has(fingerprint)) socket.destroy();
  }

  /** Ends all connections. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of [...this.#handshakes.values(), ...this.#connections.keys()]) socket.destroy();
    await closed;
  }

  #watch(socket: Socket): void {
    socket.on('error', () => {});
    const key = keyOf(socket);
    this.#handshakes.set(key, socket);
    socket.once('close', () => this.#handshakes.delete(key));
    noticeDeath(socket);
    if (this.#handshakes.size <= HANDSHAKES_MAX) return;
    const [oldest] = this.#handshakes.values();
    oldest?.destroy();
  }

  #accept(socket: TLSSocket): void {
    socket.on('error', () => {});
    this.#handshakes.delete(keyOf(socket));
    if (this.#options.isServing?.() === false) {
      socket.destroy();
      return;
    }
    const found = this.#memberOf(socket);
    if (typeof found === 'string') {
      this.#refuse(socket, found);
      return;
    }
    this.#connections.set(socket, found.fingerprint);
    socket.once('close', () => this.#connections.delete(socket));
    socket.write(greeting());
    this.#options.serve(socket, found.member);
  }

  #memberOf(socket: TLSSocket): { readonly member: string; readonly fingerprint: string } | Refusal {
    const der = socket.getPeerX509Certificate()?.raw;
    if (der === undefined) return 'no-certificate';
    const fingerprint = fingerprintOf(der);
    const member = this.#options.known().get(fingerprint);
    if (member === undefined) return 'unknown-certificate';
    const others = [...this.#connections.values()].filter((each) => each === fingerprint);
    return others.length < CONNECTIONS_PER_MEMBER_MAX ? { member, fingerprint } : 'too-many-connections';
  }

  #refuse(socket: TLSSocket, refusal: Refusal): void {
    const { remoteAddress } = socket;
    this.#options.log.warn(
      { from: remoteAddress, reason: refusal },
      'connection on the member link is refused',
    );
    socket.resume().end(greeting(refusal));
    const timer = setTimeout(() => socket.destroy(), REFUSAL_MS);
    socket.once('close', () => clearTimeout(timer));
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Makes the kernel end a connection with a host that does not answer any more. */
export function noticeDeath(socket: Socket): void {
  socket.setKeepAlive(true, PROBE_AFTER_MS);
  socket.setNoDelay(true);
  setUserTimeout(descriptorOf(socket), SILENCE_MS_MAX);
}
