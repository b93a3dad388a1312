import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import type { Keep } from '../base/sockets.ts';
import { close } from '../native/libc.ts';
import type { Accepted, Application } from './application.ts';

/** A connection that waits, unread, and how to drop it. */
interface WaitingCaller {
  readonly fd: number;
  readonly drop: () => void;
}

/** Connections whose owner is not known yet. */
export class Arrivals<Peer> {
  readonly #application: Application<Peer>;
  readonly #log: Log;
  readonly #held = new Set<WaitingCaller>();

  constructor(application: Application<Peer>, log: Log) {
    this.#application = application;
    this.#log = log;
  }

  /**
   * Finds out whose connection it is. While that takes time, the connection is kept and not read.
   * @param drop ends the connection if its owner cannot be found out
   */
  identify(fd: number, known: (accepted: Accepted<Peer>) => void, drop: () => void): void {
    const broke = (error: unknown) => {
      this.#log.error({ error: messageOf(error) }, 'accepting a connection failed');
      drop();
    };
    try {
      const accepted = this.#application.accept(fd);
      if (accepted instanceof Promise) this.#hold({ fd, drop }, accepted, known, broke);
      else known(accepted);
    } catch (error) {
      broke(error);
    }
  }

  /** Keeps a connection for the next server. */
  keep(fd: number): void {
    this.#held.add({ fd, drop: () => close(fd) });
  }

  /** Leaves all kept connections to the next server, as descriptors that `keep` made. */
  leave(keep: Keep): number[] {
    const left = [...this.#held].map(({ fd, drop }) => {
      const kept = keep(fd);
      drop();
      return kept;
    });
    this.#held.clear();
    return left;
  }

  #hold(
    held: WaitingCaller,
    accepted: Promise<Accepted<Peer>>,
    known: (accepted: Accepted<Peer>) => void,
    broke: (error: unknown) => void,
  ): void {
    this.#held.add(held);
    // A connection that was left to the next server in the meantime is no longer in the set.
    const isOurs = () => this.#held.has(held);
    accepted
      .then((value) => void (isOurs() && known(value)))
      .catch((error) => void (isOurs() && broke(error)))
      .finally(() => this.#held.delete(held));
  }
}
