import { CodedError } from '../../base/coded-error.ts';
import { type HostErrorCode, hostError } from '../../core/host-errors.ts';
import { OPERATIONS_MAX, REQUEST_BYTES_MAX } from './transaction.ts';

/** What etcd's failures mean to the one who changes something. Those that are not here keep etcd's text. */
const MEANINGS: Readonly<Record<string, () => CodedError>> = {
  'etcd-unreachable': () => hostError('fleet-cut-off'),
  'etcd-no-leader': () => hostError('fleet-cut-off'),
  'etcd-too-large': () =>
    hostError('fleet-change-too-large', 'more bytes than etcd takes', String(REQUEST_BYTES_MAX)),
  'etcd-too-many-operations': () =>
    hostError('fleet-change-too-large', 'more operations than etcd takes', String(OPERATIONS_MAX)),
};

/** The error for the one who changes something, when etcd has not made the change. Other errors stay as they are. */
export function changeFailure(error: unknown): unknown {
  if (!(error instanceof CodedError) || !error.code.startsWith('etcd-')) return error;
  return MEANINGS[error.code]?.() ?? hostError('fleet-refused' satisfies HostErrorCode, error.message);
}

/** Whether it is not known if etcd has made the change. */
export function isUnknown(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'etcd-unknown';
}
