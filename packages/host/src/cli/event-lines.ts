import type { EventJson, LifecycleJson, LoggingJson } from '../wire/event.ts';
import type { OperationJson } from '../wire/operation.ts';

/** Levels of log messages, the most verbose first. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warning', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** False for a log message below a level; true for events of other types. */
export function isLogged({ type, metadata }: EventJson, least: LogLevel): boolean {
  if (type !== 'logging') return true;
  const { level } = metadata as LoggingJson;
  const rank = LOG_LEVELS.findIndex((name) => name.startsWith(level));
  // A message with an unknown level may be too important to be left out.
  return rank < 0 || rank >= LOG_LEVELS.indexOf(least);
}

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
