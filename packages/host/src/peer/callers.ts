import type { Caller } from '../core/caller.ts';
import { HeldCallers } from './held-callers.ts';
import type { Identified } from './identify.ts';

/**
 * Identifies callers for the main thread. One that may belong to an instance that is just being started, or
 * recognised after a start of the daemon, waits until that instance is registered, or no start is under way.
 */
export class Callers {
  readonly #identify: (socket: number) => Identified;
  readonly #held = new HeldCallers<() => void>();
  #starting = false;

  /** @param identify says who is at the other end of a socket, by what is known now */
  constructor(identify: (socket: number) => Identified) {
    this.#identify = identify;
  }

  /** Says who is at the other end of a socket; a promise for a caller that has to wait for that. */
  identify(socket: number): Caller | Promise<Caller> {
    const { caller, outermost } = this.#identify(socket);
    if (!this.#starting || outermost === null) return caller;
    const known = Promise.withResolvers<void>();
    if (!this.#held.hold(outermost, known.resolve)) return caller;
    return known.promise.then(() => this.identify(socket));
  }

  /** Whether instances are being started, whose callers are not known yet. */
  starting(on: boolean): void {
    this.#starting = on;
    if (!on) for (const known of this.#held.takeAll()) known();
  }

  /** The run of a namespace is registered. */
  began(namespace: string): void {
    for (const known of this.#held.take(namespace)) known();
  }
}
