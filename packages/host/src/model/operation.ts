export type OperationStatus = 'Pending' | 'Running' | 'Cancelling' | 'Success' | 'Failure' | 'Cancelled';

/** A piece of work that an operator waits for. A change makes a new object. */
export interface Operation {
  /** uuid4. */
  readonly id: string;
  readonly class: 'task' | 'websocket';
  readonly description: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly status: OperationStatus;
  /** Collection to names, such as `{ instances: ['c1'] }`; null when it touches none. */
  readonly resources: Readonly<Record<string, readonly string[]>> | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly mayCancel: boolean;
  /** Empty unless it failed. */
  readonly err: string;
}
