/** An operation as LXD's API shows it. */
export interface OperationJson {
  readonly id: string;
  readonly class: 'task' | 'websocket';
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly status: string;
  readonly status_code: number;
  /** Name of the collection to URLs; null if the operation has no resources. */
  readonly resources: Readonly<Record<string, readonly string[]>> | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly may_cancel: boolean;
  readonly err: string;
  readonly location: string;
}
