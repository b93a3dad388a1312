import type { Caller } from '../core/caller.ts';
import { HeldCallers, PATIENCE_MS } from './held-callers.ts';
import type { Identified } from './identify.ts';

/**
 * Identifies callers for the main thread. A caller that may belong to an instance that is being started, or
 * recognised after a start of the daemon, waits until that instance is registered, or no start is under way. Where
 * another program starts instances, each caller of an unknown namespace waits a moment.
 */
export class Callers {
  readonly #identify: (socket: number) => Identified;
  readonly #held = new HeldCallers<() => void>();
  #starting = false;
  #patient = false;

  /** @param identify finds the caller at the other end of a socket, among the runs that are registered now */
  constructor(identify: (socket: number) => Identified) {
    this.#identify = identify;
  }

  /** The caller at the other end of a socket; a promise for one that has to wait. */
  identify(socket: number): Caller | Promise<Caller> {
    return this.#identifyUntil(socket, performance.now() + PATIENCE_MS);
  }

  /** @param untilMs how long it may wait if nothing is being started */
  #identifyUntil(socket: number, untilMs: number): Caller | Promise<Caller> {
    const { caller, outermost } = this.#identify(socket);
    if (outermost === null) return caller;
    const leftMs = this.#patient ? untilMs - performance.now() : 0;
    if (!this.#starting && leftMs <= 0) return caller;
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!this.#held.hold(outermost, resolve)) return caller;
    const timer = this.#starting ? undefined : setTimeout(() => this.#giveUp(outermost, resolve), leftMs);
    return promise.then(() => {
      clearTimeout(timer);
      return this.#identifyUntil(socket, untilMs);
    });
  }

  /** A start that has begun meanwhile is waited for. */
  #giveUp(namespace: string, known: () => void): void {
    if (!this.#starting && this.#held.remove(namespace, known)) known();
  }

  /** Whether instances are being started: their callers are not known yet. */
  starting(on: boolean): void {
    this.#starting = on;
    if (!on) for (const known of this.#held.takeAll()) known();
  }

  /** Whether another program starts instances, whose callers may come before the news of the start. */
  patient(on: boolean): void {
    this.#patient = on;
  }

  /** The run of a namespace has been registered. */
  began(namespace: string): void {
    for (const known of this.#held.take(namespace)) known();
  }
}
