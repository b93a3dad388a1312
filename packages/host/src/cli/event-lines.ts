import type { EventJson, LifecycleJson, LoggingJson } from '../wire/event.ts';
import type { OperationJson } from '../wire/operation.ts';

/** One line, without the time, for the metadata of each type of event. */
export const EVENT_LINES = {
  lifecycle: (metadata: EventJson['metadata']) => {
    const { action, source, requestor, context } = metadata as LifecycleJson;
    const by = requestor ? ` by ${requestor.username}` : '';
    return `lifecycle ${action} ${source}${by}${pairs(context)}`;
  },
  operation: (metadata: EventJson['metadata']) => {
    const { id, description, status, err } = metadata as OperationJson;
    return `operation ${id} ${description}: ${status}${err ? `: ${err}` : ''}`;
  },
  logging: (metadata: EventJson['metadata']) => {
    const { level, message, context } = metadata as LoggingJson;
    return `${level} ${message}${pairs(context)}`;
  },
} as const;

function pairs(context: Readonly<Record<string, unknown>> | undefined): string {
  return Object.entries(context ?? {})
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
}
