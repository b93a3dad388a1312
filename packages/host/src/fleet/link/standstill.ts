import { setTimeout as sleep } from 'node:timers/promises';
import { hostError } from '../../core/host-errors.ts';
import type { ConnectionQueue } from './connection-queue.ts';
import type { MemberConnections } from './member-connections.ts';

/** For errors of a member that is given up: it may still carry out the request when it goes on. */
const STANDS_STILL = 'its lease has ended, and nothing comes from it; the request may still be carried out';

/** Notices that a member without a lease stands still, and then ends the requests to it. */
export class Standstill {
  readonly #connections: MemberConnections;
  readonly #queue: ConnectionQueue;
  readonly #ms: number;
  #isDoubted = false;

  /** @param ms how long it may send nothing and accept no connection */
  constructor(connections: MemberConnections, queue: ConnectionQueue, ms: number) {
    this.#connections = connections;
    this.#queue = queue;
    this.#ms = ms;
  }

  /**
   * Call it when the member has no lease. Ends its connections when nothing comes from it any more. A member that only
   * does not reach etcd still takes new connections: it keeps all.
   * @param hasLease whether the member has a lease again
   */
  async doubt(hasLease: () => boolean): Promise<void> {
    if (this.#isDoubted) return;
    this.#isDoubted = true;
    const connections = this.#connections;
    do {
      const before = connections.open.map((socket) => ({ socket, bytes: socket.bytesRead }));
      const isThere = await this.#answers();
      const isSilent = before.every(({ socket, bytes }) => socket.bytesRead === bytes);
      if (isThere || !isSilent || hasLease()) continue;
      const { name } = connections.peer;
      const offline = hostError('member-offline', name, STANDS_STILL);
      this.#queue.refuse(offline);
      for (const { socket } of before)
        socket.destroy(connections.isUsed(socket) ? hostError('member-lost', name) : offline);
    } while (connections.open.length > 0 && !hasLease());
    this.#isDoubted = false;
  }

  /** Whether the member takes a new connection, or refuses it. It takes the whole time to find out. */
  async #answers(): Promise<boolean> {
    const failure = this.#connections.connect(this.#ms).then(
      (socket) => void socket.destroy(),
      (error) => error,
    );
    await sleep(this.#ms, undefined, { ref: false });
    return (await failure)?.code !== 'member-offline';
  }
}
