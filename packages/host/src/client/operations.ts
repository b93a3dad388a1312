import type { OperationJson } from '../wire/operation.ts';
import { FINAL_STATUS_MIN, STATUS_CODES } from '../wire/status.ts';
import { OperationError } from './client-errors.ts';
import type { EventStream } from './events.ts';
import { openEvents } from './events.ts';
import { call } from './transport.ts';

/** Called with the text of an operation's progress, such as `Unpack: 40%`. */
export type ProgressListener = (text: string) => void;

/** True once an operation has succeeded, failed or been cancelled. */
export function isFinal(operation: OperationJson): boolean {
  return operation.status_code >= FINAL_STATUS_MIN;
}

/**
 * Waits until an operation has ended, with success or not.
 * @throws ApiError `Operation not found` when the daemon no longer knows it
 */
export async function waitForOperation(
  socketPath: string,
  operation: OperationJson,
  signal?: AbortSignal,
): Promise<OperationJson> {
  let current = operation;
  while (!isFinal(current)) {
    const path = `/1.0/operations/${encodeURIComponent(operation.id)}/wait`;
    const reply = await call(socketPath, { method: 'GET', path, ...(signal ? { signal } : {}) });
    current = reply.metadata as OperationJson;
  }
  return current;
}

/** @throws OperationError with the operation's own text unless it succeeded */
export function requireSuccess(operation: OperationJson): OperationJson {
  if (operation.status_code === STATUS_CODES.Success && operation.err === '') return operation;
  throw new OperationError(
    operation.status_code,
    operation.err || `The operation ended as ${operation.status}`,
  );
}

/**
 * Does some work, and passes the progress of its operations to a listener. If events cannot be had, the work
 * goes on without progress.
 * @param work gets `follow`, which names the operation to listen for
 */
export async function withProgress<T>(
  socketPath: string,
  listener: ProgressListener | undefined,
  work: (follow: (id: string) => void) => Promise<T>,
): Promise<T> {
  if (!listener) return work(() => {});
  const events = await openEvents(socketPath, ['operation']).catch(() => undefined);
  const followed = new Set<string>();
  if (events) void tell(events, followed, listener).catch(() => {});
  try {
    return await work((id) => followed.add(id));
  } finally {
    events?.close();
  }
}

async function tell(
  events: EventStream,
  followed: ReadonlySet<string>,
  listener: ProgressListener,
): Promise<void> {
  for await (const event of events) {
    const operation = event.metadata as Partial<OperationJson>;
    if (operation.id === undefined || !followed.has(operation.id)) continue;
    const text = progressOf(operation.metadata ?? null);
    if (text !== undefined) listener(text);
  }
}

/** The text under a metadata key that ends in `_progress`, if there is one. */
function progressOf(metadata: OperationJson['metadata']): string | undefined {
  for (const [key, value] of Object.entries(metadata ?? {})) {
    if (key.endsWith('_progress') && typeof value === 'string') return value;
  }
  return undefined;
}
