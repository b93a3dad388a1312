import { z } from 'zod';
import type { OperationJson } from './operation.ts';
import { STATUS_CODES } from './status.ts';

/** What every JSON answer of the host API looks like. */
export interface Envelope {
  readonly type: 'sync' | 'async' | 'error';
  readonly status: string;
  readonly status_code: number;
  readonly operation: string;
  readonly error_code: number;
  readonly error: string;
  readonly metadata: unknown;
}

/** A result that is there at once. */
export function syncEnvelope(metadata: unknown): Envelope {
  return envelope({ type: 'sync', status: 'Success', status_code: STATUS_CODES.Success, metadata });
}

/** The start of an operation. */
export function asyncEnvelope(operation: OperationJson): Envelope {
  return envelope({
    type: 'async',
    status: 'Operation created',
    status_code: STATUS_CODES['Operation created'],
    operation: operationPath(operation.id),
    metadata: operation,
  });
}

/** A failure; `status` is also the HTTP status of the answer. */
export function errorEnvelope(status: number, message: string): Envelope {
  return envelope({ type: 'error', error_code: status, error: message });
}

/** Where an operation is found. */
export function operationPath(id: string): string {
  return `/1.0/operations/${id}`;
}

/** Reads an answer of a host API; lenient, since only `type` and what belongs to it is sure to be there. */
export const answerSchema = z.object({
  type: z.enum(['sync', 'async', 'error']),
  status_code: z.number().default(0),
  operation: z.string().default(''),
  error_code: z.number().default(0),
  error: z.string().default(''),
  metadata: z.unknown(),
});

function envelope(part: Partial<Envelope> & Pick<Envelope, 'type'>): Envelope {
  return { status: '', status_code: 0, operation: '', error_code: 0, error: '', metadata: null, ...part };
}
