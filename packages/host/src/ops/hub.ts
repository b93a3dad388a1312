import type { Log } from '../base/log.ts';
import type { StoredEvent } from '../core/model.ts';
import type { HostEvent } from './events.ts';

type Listener<T> = (event: T) => void;

/**
 * Hands events to those who listen now, in the order in which they are published. Events of the journal are
 * published right after their commit, in the same turn, so delivery order is commit order.
 */
export class EventHub {
  readonly #host = new Set<Listener<HostEvent>>();
  readonly #guests = new Map<number, Set<Listener<StoredEvent>>>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Calls back for all events of the host API's stream. @returns the function that ends it */
  onHost(listener: Listener<HostEvent>): () => void {
    this.#host.add(listener);
    return () => void this.#host.delete(listener);
  }

  /** Calls back for the events of one instance. @returns the function that ends it */
  onGuest(instanceId: number, listener: Listener<StoredEvent>): () => void {
    const listeners = this.#guests.get(instanceId) ?? new Set();
    this.#guests.set(instanceId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#guests.get(instanceId) === listeners) this.#guests.delete(instanceId);
    };
  }

  publishHost(event: HostEvent): void {
    for (const listener of this.#host) this.#call(listener, event);
  }

  publishGuest(instanceId: number, event: StoredEvent): void {
    for (const listener of this.#guests.get(instanceId) ?? []) this.#call(listener, event);
  }

  /** One listener's failure is not the others'. */
  #call<T>(listener: Listener<T>, event: T): void {
    try {
      listener(event);
    } catch (error) {
      this.#log.error({ err: error }, 'event listener failed');
    }
  }
}
