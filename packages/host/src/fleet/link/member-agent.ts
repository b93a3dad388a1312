import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { ConnectionQueue } from './connection-queue.ts';
import type { Identity } from './identity.ts';
import { HANDSHAKE_MS, IDLE_CONNECTIONS_MAX, IDLE_MS, STANDSTILL_MS } from './link-limits.ts';
import { MemberConnections, type Peer } from './member-connections.ts';
import { Standstill } from './standstill.ts';

/**
 * Connections to one member, kept between requests. A request is sent only when the other side has proved that it has
 * the member's key, and has accepted this one. Its errors are member-offline and member-refused, after which the request
 * was not sent, and member-lost: the request was sent, and the member may carry it out later.
 */
export class MemberAgent extends Agent {
  readonly #connections: MemberConnections;
  readonly #queue: ConnectionQueue;
  readonly #standstill: Standstill;

  constructor(peer: Peer, identity: Identity, handshakeMs = HANDSHAKE_MS, standstillMs = STANDSTILL_MS) {
    super({
      keepAlive: true,
      timeout: IDLE_MS,
      maxFreeSockets: IDLE_CONNECTIONS_MAX,
    });
    this.#connections = new MemberConnections(peer, identity, () => this.#queue.begin());
    this.#queue = new ConnectionQueue(this.#connections, handshakeMs);
    this.#standstill = new Standstill(this.#connections, this.#queue, standstillMs);
  }

  /** Whether this agent still fits what the fleet knows. */
  fits({ address, fingerprint }: Peer): boolean {
    const { peer } = this.#connections;
    return address === peer.address && fingerprint === peer.fingerprint;
  }

  override createConnection(
    _options: unknown,
    done?: (error: Error | null, socket: TLSSocket) => void,
  ): undefined {
    this.#queue.connect().then(
      (connected) => done?.(null, connected),
      (error) => done?.(error, undefined as never),
    );
  }

  /** A request that waits for a connection of its own cannot use a kept one. So a kept one ends, to make room. */
  override keepSocketAlive(socket: Duplex): boolean {
    // Node's types do not say what it returns.
    const isKept: unknown = super.keepSocketAlive(socket);
    return this.#queue.isEmpty && isKept === true;
  }

  /** Ends all its connections, also those that are websockets now. */
  close(): void {
    this.destroy();
    this.#connections.close();
  }

  /** Call it when the member has no lease; see {@link Standstill.doubt}. */
  doubt(hasLease: () => boolean): Promise<void> {
    return this.#standstill.doubt(hasLease);
  }
}
