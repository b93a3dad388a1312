import type { Parts } from '../../instances/needs.ts';
import type { Operation } from '../../model/operation.ts';
import type { OperationSpec } from '../../model/operations.ts';
import type { OperationCases } from '../backend.ts';

/** Operations; those that `begin` starts have no work, and end when a test says so. */
export class OwnOperations implements OperationCases {
  readonly list;
  readonly get;
  readonly cancel;
  readonly run;
  wait: OperationCases['wait'];
  readonly #parts: Parts;
  readonly #works = new Map<string, PromiseWithResolvers<undefined>>();

  constructor({ list, get, cancel, wait, run }: OperationCases, parts: Parts) {
    this.list = list;
    this.get = get;
    this.cancel = cancel;
    this.run = run;
    this.wait = wait;
    this.#parts = parts;
  }

  begin(spec: Omit<OperationSpec, 'work'>): Operation {
    const work = Promise.withResolvers<undefined>();
    const operation = this.#parts.operations.run({ ...spec, work: () => work.promise });
    this.#works.set(operation.id, work);
    return operation;
  }

  /** Ends an operation that `begin` has started: with success, or with this error. */
  end(id: string, error?: Error): void {
    const work = this.#works.get(id);
    if (error) work?.reject(error);
    else work?.resolve(undefined);
  }

  /** Publishes a lifecycle event. */
  lifecycle(action: string, source: string, context?: Record<string, unknown>): void {
    const metadata = { action, source, ...(context && { context }) };
    this.#parts.model.commit([], [{ type: 'lifecycle', metadata }]);
  }
}
