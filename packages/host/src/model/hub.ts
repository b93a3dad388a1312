import type { Log } from '../base/log.ts';
import type { StoredEvent } from '../core/entities.ts';
import type { HostEvent } from './events.ts';

type Listener<T> = (event: T) => void;

/**
 * Hands events to those who listen now, in the order in which they are published. Events of the journal are
 * published right after their commit, in the same turn, so delivery order is commit order.
 */
export class EventHub {
  readonly #host = new Set<Listener<HostEvent>>();
  readonly #guests = new Map<number, Set<Listener<StoredEvent>>>();
  readonly #views = new Map<number, Set<Listener<void>>>();
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
    return listen(this.#guests, instanceId, listener);
  }

  /** Calls back whenever the view of one instance is another one. @returns the function that ends it */
  onView(instanceId: number, listener: () => void): () => void {
    return listen(this.#views, instanceId, listener);
  }

  publishHost(event: HostEvent): void {
    for (const listener of this.#host) this.#call(listener, event);
  }

  publishGuest(instanceId: number, event: StoredEvent): void {
    for (const listener of this.#guests.get(instanceId) ?? []) this.#call(listener, event);
  }

  publishView(instanceId: number): void {
    for (const listener of this.#views.get(instanceId) ?? []) this.#call(listener, undefined);
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

/** Adds a listener of one instance. @returns the function that takes it away, and leaves nothing behind */
function listen<T>(
  all: Map<number, Set<Listener<T>>>,
  instanceId: number,
  listener: Listener<T>,
): () => void {
  const listeners = all.get(instanceId) ?? new Set();
  all.set(instanceId, listeners.add(listener));
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && all.get(instanceId) === listeners) all.delete(instanceId);
  };
}
