import { hostError } from '../core/host-errors.ts';
import { operationPath } from '../wire/envelope.ts';
import { askAll } from './ask-members.ts';
import { type Answer, type Call, done, type Edge, locationIn, param, recursionOf, sync } from './call.ts';
import { LIST_PART_MS } from './host-limits.ts';
import { operationJson } from './operation-json.ts';

/** GET /1.0/operations: URLs or objects, by lower-case status; for an operator those of all members that answer. */
export async function listOperations({ backend }: Edge, call: Call): Promise<Answer> {
  const location = locationIn(backend);
  const isFull = recursionOf(call) > 0;
  const lists: Record<string, unknown[]> = {};
  for (const operation of backend.operations.list())
    add(lists, operation.status, isFull ? operationJson(operation, location) : operationPath(operation.id));
  if (backend.fleet === null || call.sender !== undefined) return sync(lists);
  const path = `${call.path}?${call.rawQuery}`;
  for (const outcome of await askAll(backend.fleet, { path, by: call.by, withinMs: LIST_PART_MS })) {
    const part = 'answer' in outcome ? outcome.answer.envelope.metadata : null;
    for (const [status, all] of Object.entries(part ?? {}))
      for (const each of Array.isArray(all) ? all : []) add(lists, status, each);
  }
  return sync(lists);
}

function add(lists: Record<string, unknown[]>, status: string, shown: unknown): void {
  const key = status.toLowerCase();
  lists[key] ??= [];
  lists[key].push(shown);
}

/** GET /1.0/operations/ID. */
export function getOperation({ backend }: Edge, call: Call): Answer {
  return sync(operationJson(backend.operations.get(param(call, 'id')), locationIn(backend)));
}

/** DELETE /1.0/operations/ID: cancel. */
export function cancelOperation({ backend }: Edge, call: Call): Answer {
  backend.operations.cancel(param(call, 'id'), call.by);
  return done();
}

/** GET /1.0/operations/ID/wait: answers when it is final, or as it is after `timeout` seconds. */
export async function waitForOperation({ backend }: Edge, call: Call): Promise<Answer> {
  const timeout = timeoutOf(call.query.get('timeout'));
  return sync(operationJson(await backend.operations.wait(param(call, 'id'), timeout), locationIn(backend)));
}

function timeoutOf(value: string | null): number {
  if (!value) return -1;
  if (/^(-1|[0-9]{1,9})$/.test(value)) return Number(value);
  throw hostError('bad-request', `Invalid timeout: ${value}`);
}
