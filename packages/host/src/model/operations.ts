import { randomUUID } from 'node:crypto';
import { type Clock, timestamp } from '../base/clock.ts';
import { CodedError, messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { collectingUnconfirmed } from '../base/unconfirmed.ts';
import { within } from '../base/within.ts';
import { hostError } from '../core/host-errors.ts';
import type { EventHub } from './hub.ts';
import type { Operation, OperationStatus } from './operation.ts';

/** The interface of an operation for its work. */
export interface OperationHandle {
  readonly id: string;
  /** Adds to the metadata, and publishes the change, at most every `TELL_INTERVAL_MS`. */
  report(metadata: Readonly<Record<string, unknown>>): void;
  /** Aborted when the operation is cancelled. */
  readonly signal: AbortSignal;
}

export interface OperationSpec {
  readonly class?: Operation['class'];
  readonly description: string;
  readonly resources?: Operation['resources'];
  readonly metadata?: Operation['metadata'];
  readonly mayCancel?: boolean;
  /** Its result is added to the metadata. */
  readonly work: (handle: OperationHandle) => Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** How long a finished operation can still be read: clients come back for the result. */
const KEPT_MS = 30_000;
/** How long an ended operation stays in lists; the same as with LXD. */
const LISTED_MS = 5_000;
/** The least time between events of changed metadata, such as progress. */
const TELL_INTERVAL_MS = 100;

const MS_PER_SECOND = 1000;

interface Entry {
  operation: Operation;
  readonly abort: AbortController;
  readonly finished: Promise<void>;
  toldAt: number;
  listed: boolean;
}

/** All operations that run, and for a while those that have ended. */
export class Operations {
  readonly #entries = new Map<string, Entry>();
  readonly #hub: EventHub;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(hub: EventHub, clock: Clock, log: Log) {
    this.#hub = hub;
    this.#clock = clock;
    this.#log = log;
  }

  /** Starts an operation, whose work begins at once. If the work throws, only the operation fails. */
  run(spec: OperationSpec): Operation {
    const now = timestamp(this.#clock);
    const operation: Operation = {
      id: randomUUID(),
      class: spec.class ?? 'task',
      description: spec.description,
      createdAt: now,
      updatedAt: now,
      status: 'Running',
      resources: spec.resources ?? null,
      metadata: spec.metadata ?? null,
      mayCancel: spec.mayCancel ?? false,
      err: '',
    };
    const abort = new AbortController();
    let settle = () => {};
    const finished = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const entry: Entry = { operation, abort, finished, toldAt: 0, listed: true };
    this.#entries.set(operation.id, entry);
    this.#publish(entry);
    void this.#perform(entry, spec).then(settle);
    return operation;
  }

  /** The operations that run or have just ended. */
  list(): readonly Operation[] {
    return [...this.#entries.values()].filter((entry) => entry.listed).map((entry) => entry.operation);
  }

  /** @throws operation-not-found */
  get(id: string): Operation {
    return this.#entry(id).operation;
  }

  /** @throws operation-not-found, not-cancellable, operation-finished */
  cancel(id: string): void {
    const entry = this.#entry(id);
    if (entry.operation.status !== 'Running') throw hostError('operation-finished');
    if (!entry.operation.mayCancel) throw hostError('not-cancellable');
    this.#change(entry, { status: 'Cancelling' });
    entry.abort.abort(hostError('cancelled'));
  }

  /** Resolves when the operation has ended or the time is over; -1 waits without limit. */
  async wait(id: string, timeoutSeconds: number): Promise<Operation> {
    const entry = this.#entry(id);
    await within(timeoutSeconds * MS_PER_SECOND, entry.finished);
    return entry.operation;
  }

  /** Resolves when the operations that run now have ended. */
  async idle(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => entry.finished));
  }

  async #perform(entry: Entry, spec: OperationSpec): Promise<void> {
    try {
      const handle: OperationHandle = {
        id: entry.operation.id,
        signal: entry.abort.signal,
        report: (metadata) => this.#report(entry, metadata),
      };
      const { result, unconfirmed } = await collectingUnconfirmed(() => spec.work(handle));
      this.#finish(entry, 'Success', '', withUnconfirmed(result, unconfirmed));
    } catch (thrown) {
      const { aborted, reason } = entry.abort.signal;
      const error = aborted ? reason : thrown;
      const expected = error instanceof CodedError;
      if (!expected) this.#log.error({ err: error, operation: entry.operation.id }, 'operation failed');
      this.#finish(entry, aborted ? 'Cancelled' : 'Failure', messageOf(error), failedWith(error));
    }
  }

  #finish(
    entry: Entry,
    status: OperationStatus,
    err: string,
    result: Readonly<Record<string, unknown>> | undefined,
  ): void {
    const metadata = result ? { ...entry.operation.metadata, ...result } : entry.operation.metadata;
    this.#change(entry, { status, err, metadata, mayCancel: false });
    setTimeout(() => {
      entry.listed = false;
    }, LISTED_MS).unref();
    setTimeout(() => this.#entries.delete(entry.operation.id), KEPT_MS).unref();
  }

  #report(entry: Entry, metadata: Readonly<Record<string, unknown>>): void {
    const merged = { ...entry.operation.metadata, ...metadata };
    const now = this.#clock.now().getTime();
    if (now - entry.toldAt < TELL_INTERVAL_MS) {
      entry.operation = { ...entry.operation, metadata: merged };
      return;
    }
    entry.toldAt = now;
    this.#change(entry, { metadata: merged });
  }

  /** Changes the state before it publishes the event, so that a client that reads it on the event sees it. */
  #change(entry: Entry, change: Partial<Operation>): void {
    entry.operation = { ...entry.operation, ...change, updatedAt: timestamp(this.#clock) };
    this.#publish(entry);
  }

  #publish(entry: Entry): void {
    this.#hub.publishHost({
      type: 'operation',
      timestamp: timestamp(this.#clock),
      metadata: entry.operation,
    });
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (!entry) throw hostError('operation-not-found');
    return entry;
  }
}

/** The metadata of an error, such as the exit code of an exec that failed. */
function failedWith(error: unknown): Readonly<Record<string, unknown>> | undefined {
  return error instanceof OperationError ? error.metadata : undefined;
}

/** A failure of an operation that still has a result. */
export class OperationError extends CodedError {
  readonly metadata: Readonly<Record<string, unknown>>;

  constructor(cause: CodedError, metadata: Readonly<Record<string, unknown>>) {
    super(cause.code, cause.status, cause.message, { cause });
    this.metadata = metadata;
  }
}

function withUnconfirmed(
  result: Readonly<Record<string, unknown>> | undefined,
  unconfirmed: readonly string[],
): Readonly<Record<string, unknown>> | undefined {
  return unconfirmed.length === 0 ? result : { ...result, porthole_unconfirmed: unconfirmed };
}
