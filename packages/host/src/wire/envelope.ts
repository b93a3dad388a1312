import { slicesOf } from '../base/slices.ts';
import type { OperationJson } from './operation.ts';
import { STATUS_CODES } from './status.ts';

/** The form of every JSON answer of the host API. */
export interface Envelope {
  readonly type: 'sync' | 'async' | 'error';
  readonly status: string;
  readonly status_code: number;
  readonly operation: string;
  readonly error_code: number;
  readonly error: string;
  readonly metadata: unknown;
  /**
   * A Porthole addition: members of the fleet that have not confirmed the change in time. They get it when they can;
   * absent if all have confirmed. Operations have it in their metadata.
   */
  readonly porthole_unconfirmed?: readonly string[];
}

/**
 * The answer to a request that is done at once.
 * @param unconfirmed members of the fleet that have not confirmed the change in time
 */
export function syncEnvelope(metadata: unknown, unconfirmed: readonly string[] = []): Envelope {
  const late = unconfirmed.length > 0 ? { porthole_unconfirmed: unconfirmed } : {};
  return envelope({ type: 'sync', status: 'Success', status_code: STATUS_CODES.Success, metadata, ...late });
}

/**
 * The text of {@link syncEnvelope} for a list, in pieces, each made when it is asked for: the whole may have many
 * megabytes.
 * @param items the JSON text of each
 * @returns bytes of the whole text, and the pieces
 */
export function listText(items: readonly string[]): {
  readonly bytes: number;
  readonly pieces: Iterable<string>;
} {
  const [head, tail] = JSON.stringify(syncEnvelope([])).split('[]') as [string, string];
  const commas = Math.max(0, items.length - 1);
  const bytes = items.reduce(
    (sum, item) => sum + Buffer.byteLength(item),
    `${head}[]${tail}`.length + commas,
  );
  return { bytes, pieces: piecesOf(items, `${head}[`, `]${tail}`) };
}

function* piecesOf(items: readonly string[], head: string, tail: string): Generator<string> {
  let before = head;
  for (const slice of slicesOf(items)) {
    yield before + slice.join(',');
    before = ',';
  }
  yield items.length > 0 ? tail : head + tail;
}

/** The answer to a request that has started an operation. */
export function asyncEnvelope(operation: OperationJson): Envelope {
  return envelope({
    type: 'async',
    status: 'Operation created',
    status_code: STATUS_CODES['Operation created'],
    operation: operationPath(operation.id),
    metadata: operation,
  });
}

/** The answer to a request that failed; `status` is also the HTTP status of the answer. */
export function errorEnvelope(status: number, message: string): Envelope {
  return envelope({ type: 'error', error_code: status, error: message });
}

/** The URL path of an operation. */
export function operationPath(id: string): string {
  return `/1.0/operations/${id}`;
}

function envelope(part: Partial<Envelope> & Pick<Envelope, 'type'>): Envelope {
  return { status: '', status_code: 0, operation: '', error_code: 0, error: '', metadata: null, ...part };
}
