import type { StoredEvent } from '../core/model.ts';

/** Listeners of one event share its text. */
const texts = new WeakMap<StoredEvent, string>();

/**
 * An event as a guest sees it: one line of JSON, `type`, `timestamp`, `metadata`, all below in alphabetical
 * order. The sequence number stays with us.
 */
export function eventText(event: StoredEvent): string {
  let text = texts.get(event);
  if (text === undefined) {
    const { type, timestamp, metadata } = event;
    text = `${JSON.stringify({ type, timestamp, metadata: sorted(metadata) })}\n`;
    texts.set(event, text);
  }
  return text;
}

/** The same with the sequence number as its last field, for those who follow positions. */
export function numberedEventText(event: StoredEvent): string {
  return `${eventText(event).slice(0, -'}\n'.length)},"sequence":${event.sequence}}\n`;
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}
