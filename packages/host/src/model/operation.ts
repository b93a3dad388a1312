export type OperationStatus = 'Pending' | 'Running' | 'Cancelling' | 'Success' | 'Failure' | 'Cancelled';

/** The state of an operation; immutable: each change makes a new object. */
export interface Operation {
  /** uuid4. */
  readonly id: string;
  readonly class: 'task' | 'websocket';
  readonly description: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly status: OperationStatus;
  /** Collection to names, such as `{ instances: ['c1'] }`; null if there are none. */
  readonly resources: Readonly<Record<string, readonly string[]>> | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly mayCancel: boolean;
  /** The message of its failure; empty if it has not failed. */
  readonly err: string;
}
