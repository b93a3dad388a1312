import { hostError } from '../core/host-errors.ts';
import type { Operation } from '../model/operation.ts';
import { operationPath } from '../wire/envelope.ts';
import { type Answer, type Call, done, type Edge, param, recursionOf, sync } from './call.ts';
import { operationJson } from './operation-json.ts';

/** GET /1.0/operations: URLs or objects, by lower-case status. */
export function listOperations({ backend }: Edge, call: Call): Answer {
  const show = recursionOf(call) > 0 ? operationJson : ({ id }: Operation) => operationPath(id);
  const lists: Record<string, unknown[]> = {};
  for (const operation of backend.operations.list()) {
    const status = operation.status.toLowerCase();
    lists[status] ??= [];
    lists[status].push(show(operation));
  }
  return sync(lists);
}

/** GET /1.0/operations/ID. */
export function getOperation({ backend }: Edge, call: Call): Answer {
  return sync(operationJson(backend.operations.get(param(call, 'id'))));
}

/** DELETE /1.0/operations/ID: cancel. */
export function cancelOperation({ backend }: Edge, call: Call): Answer {
  backend.operations.cancel(param(call, 'id'), call.by);
  return done();
}

/** GET /1.0/operations/ID/wait: answers when it is final, or as it is after `timeout` seconds. */
export async function waitForOperation({ backend }: Edge, call: Call): Promise<Answer> {
  const timeout = timeoutOf(call.query.get('timeout'));
  return sync(operationJson(await backend.operations.wait(param(call, 'id'), timeout)));
}

function timeoutOf(value: string | null): number {
  if (!value) return -1;
  if (/^(-1|[0-9]{1,9})$/.test(value)) return Number(value);
  throw hostError('bad-request', `Invalid timeout: ${value}`);
}
