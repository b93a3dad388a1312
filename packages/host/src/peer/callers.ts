import type { Caller } from '../core/caller.ts';
import { HeldCallers } from './held-callers.ts';
import type { Identified } from './identify.ts';

/**
 * Identifies callers for the main thread. A caller that may belong to an instance that is being started, or
 * recognised after a start of the daemon, waits until that instance is registered, or no start is under way.
 */
export class Callers {
  readonly #identify: (socket: number) => Identified;
  readonly #held = new HeldCallers<() => void>();
  #starting = false;

  /** @param identify finds the caller at the other end of a socket, among the runs that are registered now */
  constructor(identify: (socket: number) => Identified) {
    this.#identify = identify;
  }

  /** The caller at the other end of a socket; a promise for one that has to wait. */
  identify(socket: number): Caller | Promise<Caller> {
    const { caller, outermost } = this.#identify(socket);
    if (!this.#starting || outermost === null) return caller;
    const known = Promise.withResolvers<void>();
    if (!this.#held.hold(outermost, known.resolve)) return caller;
    return known.promise.then(() => this.identify(socket));
  }

  /** Whether instances are being started: their callers are not known yet. */
  starting(on: boolean): void {
    this.#starting = on;
    if (!on) for (const known of this.#held.takeAll()) known();
  }

  /** The run of a namespace has been registered. */
  began(namespace: string): void {
    for (const known of this.#held.take(namespace)) known();
  }
}
