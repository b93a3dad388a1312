import type { Log } from '../base/log.ts';
import { nextTurn, slicesOf } from '../base/slices.ts';
import type { StoredEvent } from '../core/entities.ts';
import type { HostEvent, LifecycleMetadata } from './events.ts';

type Listener<T> = (event: T) => void;

/**
 * Passes events to the current listeners, in the order of publishing. Events of the journal are published
 * directly after their commit, synchronously, so the order of delivery is the order of commits. Those of a large
 * change follow in turns, but each instance's listeners get them before anything later.
 */
export class EventHub {
  readonly #host = new Set<Listener<HostEvent>>();
  readonly #guests = new Map<number, Set<Listener<StoredEvent>>>();
  readonly #views = new Map<number, Set<Listener<void>>>();
  /** By instance, the events of large changes that its listeners have not got yet; empty for a view alone. */
  readonly #late = new Map<number, readonly StoredEvent[]>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Subscribes to all events of the host API's stream. @returns a function that unsubscribes */
  onHost(listener: Listener<HostEvent>): () => void {
    this.#host.add(listener);
    return () => void this.#host.delete(listener);
  }

  /** Subscribes to the events of one instance. @returns a function that unsubscribes */
  onGuest(instanceId: number, listener: Listener<StoredEvent>): () => void {
    // A new listener has read the earlier events, or does not want them.
    this.#deliver(instanceId);
    return listen(this.#guests, instanceId, listener);
  }

  /** Subscribes to changes of the view of one instance. @returns a function that unsubscribes */
  onView(instanceId: number, listener: () => void): () => void {
    return listen(this.#views, instanceId, listener);
  }

  /** Publishes an event of the journal to the instance, or to the host's listeners. */
  publishStored(event: StoredEvent): void {
    if (event.instanceId !== null) {
      this.publishGuest(event.instanceId, event);
      return;
    }
    const metadata = event.metadata as unknown as LifecycleMetadata;
    const { timestamp, sequence } = event;
    this.publishHost({ type: 'lifecycle', timestamp, metadata, sequence });
  }

  publishHost(event: HostEvent): void {
    for (const listener of this.#host) this.#call(listener, event);
  }

  publishGuest(instanceId: number, event: StoredEvent): void {
    this.#deliver(instanceId);
    for (const listener of this.#guests.get(instanceId) ?? []) this.#call(listener, event);
  }

  /**
   * Publishes changed views, and events of many instances, in turns. The listeners of an instance still get all its
   * events in the order of their commits.
   * @param isTouched whether the view of an instance has changed; asked only in this turn
   * @param events by instance; none if only its view has changed
   */
  async publishInTurns(
    isTouched: (instanceId: number) => boolean,
    events: ReadonlyMap<number, readonly StoredEvent[]>,
  ): Promise<void> {
    for (const id of new Set([...this.#guests.keys(), ...this.#views.keys()])) {
      if (!isTouched(id)) continue;
      this.#deliver(id);
      this.#late.set(id, events.get(id) ?? []);
    }
    for (const slice of slicesOf([...this.#late.keys()])) {
      for (const id of slice) this.#deliver(id);
      await nextTurn();
    }
  }

  publishView(instanceId: number): void {
    for (const listener of this.#views.get(instanceId) ?? []) this.#call(listener, undefined);
  }

  /** Gives the listeners of an instance what they have not got yet. */
  #deliver(instanceId: number): void {
    const events = this.#late.get(instanceId);
    if (events === undefined) return;
    this.#late.delete(instanceId);
    this.publishView(instanceId);
    for (const event of events) this.publishGuest(instanceId, event);
  }

  /** Logs the failure of a listener, so that the others are still called. */
  #call<T>(listener: Listener<T>, event: T): void {
    try {
      listener(event);
    } catch (error) {
      this.#log.error({ err: error }, 'event listener failed');
    }
  }
}

/** Adds a listener of one instance. @returns a function that removes it, and the instance's empty set */
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
