import type { EventPage } from '../../../guest/src/wire.ts';
import type { Position } from '../core/position.ts';
import { refusedPosition } from '../events/positions.ts';
import type { Turn } from '../http/fair-turns.ts';
import { headerBlock, type TextReply } from '../http/response.ts';
import type { GuestBackend } from './backend.ts';
import { numberedEventText } from './event-text.ts';
import { textError } from './guest-errors.ts';
import { LISTED_BYTES_MAX, READ_PIECE } from './guest-limits.ts';

export interface ListRequest {
  readonly instanceId: number;
  readonly types: ReadonlySet<string>;
  readonly since: Position;
  readonly limit: number;
}

type Journal = Pick<GuestBackend, 'eventsAfter' | 'journalSpan'>;

const HEADERS = headerBlock({ 'Content-Type': 'application/json' });

/**
 * The answer to `GET /1.0/events?since=...&limit=...`: the stored events, and the position to continue from.
 * A long list is read in pieces, each when it is the turn of its instance.
 */
export function listEvents(
  journal: Journal,
  request: ListRequest,
  turn: Turn,
): TextReply | Promise<TextReply> {
  const refusal = refusePosition(journal, request.instanceId, request.since);
  if (refusal !== undefined) return refusal;
  const list = new EventList(journal, request);
  if (list.read()) return list.answer();
  return new Promise((resolve, reject) => {
    const goOn = () => {
      try {
        if (list.read()) resolve(list.answer());
        else turn(goOn);
      } catch (error) {
        reject(error as Error);
      }
    };
    turn(goOn);
  });
}

/** A list while it is read. */
class EventList {
  readonly #journal: Journal;
  readonly #request: ListRequest;
  readonly #texts: string[] = [];
  #characters = 0;
  /** All events up to this number have been looked at. */
  #reached: number;
  #more = true;

  constructor(journal: Journal, request: ListRequest) {
    this.#journal = journal;
    this.#request = request;
    const { instanceId, since } = request;
    this.#reached = since === 'now' ? journal.journalSpan(instanceId).newest : since;
  }

  /** Reads a piece; true if the list is complete. */
  read(): boolean {
    const journal = this.#journal;
    const { instanceId, types, limit } = this.#request;
    const { oldest, newest } = journal.journalSpan(instanceId);
    // The journal has dropped the next events: a client that continues from here gets an error.
    if (this.#reached < oldest) return true;
    const events = Math.min(READ_PIECE.events, limit - this.#texts.length);
    const page = journal.eventsAfter({
      ...{ instanceId, types, events, after: this.#reached },
      bytes: Math.min(READ_PIECE.bytes, LISTED_BYTES_MAX - this.#characters),
    });
    for (const event of page.events) {
      const text = numberedEventText(event).trimEnd();
      this.#texts.push(text);
      this.#characters += text.length;
    }
    this.#more = page.more;
    // At the end of the journal all events up to its newest one have been looked at, of any instance.
    this.#reached = page.more ? page.reached : newest;
    return !page.more || this.#texts.length >= limit || this.#characters >= LISTED_BYTES_MAX;
  }

  answer(): TextReply {
    const end: Omit<EventPage, 'events'> = { next: this.#reached, more: this.#more };
    const body = `{"events":[${this.#texts.join(',')}],${JSON.stringify(end).slice(1)}\n`;
    return { kind: 'text', status: 200, headers: HEADERS, body };
  }
}

/** The answer to a position after which events are missing; undefined if none is missing. */
export function refusePosition(
  journal: Pick<Journal, 'journalSpan'>,
  instanceId: number,
  since: Position,
): TextReply | undefined {
  const refused = refusedPosition(since, journal.journalSpan(instanceId));
  return refused && textError(refused.why, refused.nearest);
}
