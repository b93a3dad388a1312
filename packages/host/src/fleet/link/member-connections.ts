import { connect, type TLSSocket } from 'node:tls';
import { CodedError, messageOf } from '../../base/coded-error.ts';
import { hostError } from '../../core/host-errors.ts';
import { readAddress } from './address.ts';
import { readGreeting } from './greeting.ts';
import { fingerprintOf, type Identity } from './identity.ts';
import { noticeDeath } from './link-server.ts';

/** Another member, as the fleet knows it. */
export interface Peer {
  readonly name: string;
  /** `HOST:PORT`. */
  readonly address: string;
  /** sha256 of its certificate in DER form, 64 lower-case hex digits. */
  readonly fingerprint: string;
}

/** The connections to one member. Each is opened only when both sides have proved who they are. */
export class MemberConnections {
  readonly peer: Peer;
  readonly #identity: Identity;
  readonly #closed: () => void;
  readonly #sockets = new Set<TLSSocket>();
  /** Those on which requests may have been sent. */
  readonly #used = new WeakSet<TLSSocket>();
  #isOver = false;

  /** @param closed called after each end of a connection */
  constructor(peer: Peer, identity: Identity, closed: () => void) {
    this.peer = peer;
    this.#identity = identity;
    this.#closed = closed;
  }

  /** How many there are, with those that shake hands, and those whose end is not complete. */
  get count(): number {
    return this.#sockets.size;
  }

  /** Those that have not ended, with those that shake hands. */
  get open(): TLSSocket[] {
    return [...this.#sockets].filter(({ destroyed }) => !destroyed);
  }

  /** Whether requests may have been sent on it. */
  isUsed(socket: TLSSocket): boolean {
    return this.#used.has(socket);
  }

  /** Opens one more. @throws member-offline, member-refused */
  async connect(handshakeMs: number): Promise<TLSSocket> {
    const { name } = this.peer;
    if (this.#isOver) throw hostError('member-offline', name, 'it has left the fleet, or moved');
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

  /** Ends all, also those that are websockets now, and opens none any more. */
  close(): void {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #dial(): TLSSocket {
    const { host, port } = readAddress(this.peer.address);
    const socket = connect({
      ...{ host, port, secureContext: this.#identity.context },
      // Not by an authority and a name: `#shakeHands` looks at the fingerprint.
      ...{ rejectUnauthorized: false, checkServerIdentity: () => undefined },
    });
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#closed();
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
    if (der === undefined || fingerprintOf(der) !== this.peer.fingerprint)
      return `its certificate is not that of the member, at ${this.peer.address}`;
    return greeted;
  }

  #explain(error: unknown): CodedError {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const { name } = this.peer;
    if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
      return hostError('member-refused', name, 'it does not speak TLS 1.3 as a member does');
    return Object.assign(hostError('member-offline', name, messageOf(error)), { cause: error });
  }
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
