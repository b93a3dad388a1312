import type { StoredEvent } from '../core/entities.ts';

/**
 * An event as a guest sees it: one line of JSON with `type`, `timestamp` and `metadata`; names inside of
 * `metadata` are in alphabetical order. The sequence number is left out.
 */
export function eventText({ type, timestamp, metadata }: StoredEvent): string {
  return `${JSON.stringify({ type, timestamp, metadata: sorted(metadata) })}\n`;
}

/** The same with the sequence number as its last field, for readers that follow positions. */
export function numberedEventText(event: StoredEvent): string {
  return `${eventText(event).slice(0, -'}\n'.length)},"sequence":${event.sequence}}\n`;
}

/** The bytes of an event's text. All readers of one event share them, also while they wait to be sent. */
export const eventBytes = shared(eventText);

/** The same with the sequence number. */
export const numberedEventBytes = shared(numberedEventText);

function shared(text: (event: StoredEvent) => string): (event: StoredEvent) => Buffer {
  const known = new WeakMap<StoredEvent, Buffer>();
  return (event) => {
    let bytes = known.get(event);
    if (bytes === undefined) {
      bytes = Buffer.from(text(event));
      known.set(event, bytes);
    }
    return bytes;
  };
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}
