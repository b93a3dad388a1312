import type { OperationJson } from './operation.ts';
import { wireError } from './wire-errors.ts';

/** The types of events on the host API's stream. */
const EVENT_TYPES = ['lifecycle', 'logging', 'operation'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** One message of GET /1.0/events. */
export interface EventJson {
  readonly type: EventType;
  readonly timestamp: string;
  readonly location: string;
  /** Absent on logging events. */
  readonly project?: string;
  readonly metadata: LifecycleJson | OperationJson | LoggingJson;
  /** The position of a lifecycle event, sent only to a client that gave `since`. */
  readonly sequence?: number;
}

export interface LifecycleJson {
  readonly action: string;
  readonly source: string;
  readonly requestor?: { readonly username: string; readonly protocol: string; readonly address: string };
  readonly context?: Readonly<Record<string, unknown>>;
}

export interface LoggingJson {
  readonly message: string;
  readonly level: string;
  readonly context?: Readonly<Record<string, string>>;
}

/**
 * Reads the `type` argument of GET /1.0/events: names separated by commas; null or empty means all.
 * @throws CodedError 400 for an unknown type
 */
export function parseEventTypes(value: string | null): ReadonlySet<EventType> {
  if (!value) return new Set(EVENT_TYPES);
  return new Set(value.split(',').map(eventType));
}

function eventType(name: string): EventType {
  const known = EVENT_TYPES.find((type) => type === name);
  if (known) return known;
  throw wireError('unknown-event-type', name);
}
