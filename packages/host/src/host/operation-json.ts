import type { Operation } from '../model/operation.ts';
import type { OperationJson } from '../wire/operation.ts';
import { STATUS_CODES } from '../wire/status.ts';
import { urlOf } from './call.ts';

/** An operation as the API shows it. @param location the member's name; `none` on a single host */
export function operationJson(operation: Operation, location: string): OperationJson {
  return {
    id: operation.id,
    class: operation.class,
    description: operation.description,
    created_at: operation.createdAt,
    updated_at: operation.updatedAt,
    status: operation.status,
    status_code: STATUS_CODES[operation.status],
    resources: operation.resources && resourcesJson(operation.resources),
    metadata: operation.metadata,
    may_cancel: operation.mayCancel,
    err: operation.err,
    location,
  };
}

/** Instances are also listed as `containers`, the name that older clients look for. */
function resourcesJson(resources: Readonly<Record<string, readonly string[]>>) {
  const all = { ...resources, ...(resources['instances'] && { containers: resources['instances'] }) };
  return Object.fromEntries(
    Object.entries(all).map(([collection, names]) => [
      collection,
      names.map((name) => urlOf(`/1.0/${collection}`, name)),
    ]),
  );
}
