import type { HostEvent } from '../model/events.ts';
import type { EventJson } from '../wire/event.ts';
import { operationJson } from './operation-json.ts';

/** An event as the API shows it. */
function eventJson(event: HostEvent, location: string): EventJson {
  const head = { type: event.type, timestamp: event.timestamp, location };
  if (event.type === 'operation')
    return { ...head, project: 'default', metadata: operationJson(event.metadata, location) };
  const { context, ...metadata } = event.metadata;
  const shown = context && Object.keys(context).length > 0 ? { ...metadata, context } : metadata;
  const json = { ...head, metadata: shown as EventJson['metadata'] };
  return event.type === 'logging' ? json : { ...json, project: 'default' };
}

/** Listeners of one event share its text. */
const texts = new WeakMap<HostEvent, string>();

/**
 * An event as one message.
 * @param location the member's name; `none` on a single host. It is the same for all events of a daemon.
 * @param numbered whether the sequence number, if there is one, is added as the last field
 */
export function eventText(event: HostEvent, location: string, numbered: boolean): string {
  let text = texts.get(event);
  if (text === undefined) {
    text = JSON.stringify(eventJson(event, location));
    texts.set(event, text);
  }
  if (!numbered || event.type !== 'lifecycle') return text;
  return `${text.slice(0, -'}'.length)},"sequence":${event.sequence}}`;
}
