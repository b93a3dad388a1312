import type { Compare, Keys, Operation, RangeRequest, TxnRequest } from './requests.ts';
import type { WatchRequest } from './watch-types.ts';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** The first key after all keys with this prefix, in base64. */
export function endOfPrefix(prefix: string): string {
  const bytes = Buffer.from(prefix, 'utf8');
  // UTF-8 has no byte 0xff, so the last byte can always grow.
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + 1;
  return bytes.toString('base64');
}

function keysJson(keys: Keys): object {
  if ('prefix' in keys) return { key: base64(keys.prefix), range_end: endOfPrefix(keys.prefix) };
  return {
    key: base64(keys.key),
    ...(keys.rangeEnd === undefined ? {} : { range_end: base64(keys.rangeEnd) }),
  };
}

/** The JSON of a read. `undefined` is left out by JSON.stringify. */
export function rangeJson(request: RangeRequest): object {
  return {
    ...keysJson(request),
    ...(request.after === undefined ? {} : { key: base64(`${request.after}\0`) }),
    limit: request.limit,
    revision: request.revision,
    sort_target: request.sort?.by.toUpperCase(),
    sort_order: request.sort && (request.sort.order === 'ascending' ? 'ASCEND' : 'DESCEND'),
    serializable: request.serializable,
    keys_only: request.keysOnly,
    count_only: request.countOnly,
  };
}

const RESULTS = { '=': 'EQUAL', '!=': 'NOT_EQUAL', '<': 'LESS', '>': 'GREATER' } as const;

function compareJson(compare: Compare): object {
  const head = { key: base64(compare.key), result: RESULTS[compare.is] };
  if ('version' in compare) return { ...head, target: 'VERSION', version: compare.version };
  if ('createRevision' in compare)
    return { ...head, target: 'CREATE', create_revision: compare.createRevision };
  if ('modRevision' in compare) return { ...head, target: 'MOD', mod_revision: compare.modRevision };
  if ('value' in compare) return { ...head, target: 'VALUE', value: base64(compare.value) };
  return { ...head, target: 'LEASE', lease: compare.lease };
}

function operationJson(operation: Operation): object {
  if ('range' in operation) return { request_range: rangeJson(operation.range) };
  if ('delete' in operation)
    return {
      request_delete_range: { ...keysJson(operation.delete), prev_kv: operation.delete.prevKv },
    };
  const { key, value, lease, prevKv } = operation.put;
  return { request_put: { key: base64(key), value: base64(value), lease, prev_kv: prevKv } };
}

/** The JSON of a transaction. */
export function txnJson({ compare, success, failure }: TxnRequest): object {
  return {
    compare: compare.map(compareJson),
    success: success.map(operationJson),
    failure: failure?.map(operationJson),
  };
}

/** The id of the only watch of a stream. */
const WATCH_ID = 1;

/** The JSON that creates a watch. etcd sends its events in messages of about the size of its largest request. */
export function watchJson(request: WatchRequest): object {
  return {
    create_request: {
      ...keysJson(request),
      watch_id: WATCH_ID,
      start_revision: request.startRevision,
      progress_notify: request.progressNotify,
      prev_kv: request.prevKv,
      fragment: true,
    },
  };
}

/** Asks etcd for its revision at once. The answer has the watch's id -1. */
export const PROGRESS_REQUEST = '{"progress_request":{}}\n';

/** Asks for a watch with an id that is taken: etcd refuses it at once, and nothing else changes. */
export const TAKEN_REQUEST = `{"create_request":{"watch_id":${WATCH_ID},"key":"AA=="}}\n`;
