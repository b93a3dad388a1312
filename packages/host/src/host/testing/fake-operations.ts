import { randomUUID } from 'node:crypto';
import { messageOf } from '../../base/coded-error.ts';
import { hostError } from '../../core/errors.ts';
import type { ExecSession } from '../../instances/requests.ts';
import type { HostEvent, HostJournal, LifecycleEvent } from '../../model/events.ts';
import type { Operation } from '../../model/operation.ts';
import type { OperationCases } from '../backend.ts';

const NOW = '2024-05-01T10:00:00.000Z';

/** Operations in memory that change when a test says so, and the events that tell of it. */
export class FakeOperations implements OperationCases {
  readonly #operations = new Map<string, Operation>();
  readonly #sessions = new Map<string, ExecSession>();
  readonly #listeners = new Set<(event: HostEvent) => void>();
  /** Lifecycle events, the first with number 1. */
  readonly #told: LifecycleEvent[] = [];
  #oldest = 0;

  get listenerCount(): number {
    return this.#listeners.size;
  }

  subscribe(listener: (event: HostEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(event: HostEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  lifecycle(action: string, source: string, context?: Record<string, unknown>): void {
    const metadata = { action, source, ...(context && { context }) };
    const event: LifecycleEvent = {
      type: 'lifecycle',
      timestamp: NOW,
      metadata,
      sequence: this.#told.length + 1,
    };
    this.#told.push(event);
    this.emit(event);
  }

  /** Makes the journal forget all up to this event. */
  trim(sequence: number): void {
    this.#oldest = sequence;
  }

  readonly journal: HostJournal = {
    span: () => ({ oldest: this.#oldest, newest: this.#told.length }),
    after: (position, eventsMax) => {
      const behind = this.#told.slice(Math.max(position, this.#oldest));
      return { events: behind.slice(0, eventsMax), more: behind.length > eventsMax };
    },
  };

  begin(part: Partial<Operation> & Pick<Operation, 'description'>): Operation {
    const operation: Operation = {
      id: randomUUID(),
      class: 'task',
      createdAt: NOW,
      updatedAt: NOW,
      status: 'Running',
      resources: null,
      metadata: null,
      mayCancel: false,
      err: '',
      ...part,
    };
    return this.#put(operation);
  }

  change(id: string, part: Partial<Operation>): Operation {
    return this.#put({ ...this.get(id), ...part });
  }

  /** Runs work to its end at once, or shortly after when it is asynchronous. */
  run(part: Partial<Operation> & Pick<Operation, 'description'>, work: () => unknown): Operation {
    const { id } = this.begin(part);
    const fail = (error: unknown) => this.change(id, { status: 'Failure', err: messageOf(error) });
    try {
      const result = work();
      if (!(result instanceof Promise)) return this.change(id, { status: 'Success' });
      result.then(() => this.change(id, { status: 'Success' }), fail);
      return this.get(id);
    } catch (error) {
      return fail(error);
    }
  }

  addSession(session: ExecSession): void {
    this.#sessions.set(session.operation.id, session);
  }

  list(): readonly Operation[] {
    return [...this.#operations.values()];
  }

  get(id: string): Operation {
    const operation = this.#operations.get(id);
    if (!operation) throw hostError('operation-not-found');
    return operation;
  }

  cancel(id: string): void {
    const operation = this.get(id);
    if (isFinal(operation)) throw hostError('operation-finished');
    if (!operation.mayCancel) throw hostError('not-cancellable');
    this.change(id, { status: 'Cancelled' });
  }

  wait(id: string, timeoutSeconds: number): Promise<Operation> {
    if (isFinal(this.get(id)) || timeoutSeconds === 0) return Promise.resolve(this.get(id));
    return new Promise((resolve) => {
      const end = this.subscribe((event) => {
        if (event.type !== 'operation' || event.metadata.id !== id || !isFinal(event.metadata)) return;
        end();
        resolve(event.metadata);
      });
    });
  }

  #put(operation: Operation): Operation {
    this.#operations.set(operation.id, operation);
    this.emit({ type: 'operation', timestamp: NOW, metadata: operation });
    return operation;
  }
}

function isFinal({ status }: Operation): boolean {
  return status === 'Success' || status === 'Failure' || status === 'Cancelled';
}
