import type { Position } from '../core/position.ts';
import { headerBlock, type TextReply } from '../http/response.ts';
import type { GuestBackend } from './backend.ts';
import { textError } from './errors.ts';
import { numberedEventText } from './event-text.ts';
import { LISTED_BYTES_MAX } from './limits.ts';

export interface ListRequest {
  readonly instanceId: number;
  readonly types: ReadonlySet<string>;
  readonly since: Position;
  readonly limit: number;
}

type Journal = Pick<GuestBackend, 'eventsAfter' | 'journalSpan'>;

const HEADERS = headerBlock({ 'Content-Type': 'application/json' });

/** The answer to `GET /1.0/events?since=...&limit=...`: what there is, and where to go on. */
export function listEvents(journal: Journal, { instanceId, types, since, limit }: ListRequest): TextReply {
  const refusal = refusePosition(journal, instanceId, since);
  if (refusal !== undefined) return refusal;
  const { newest } = journal.journalSpan(instanceId);
  const after = since === 'now' ? newest : since;
  const query = { instanceId, after, types, events: limit, bytes: LISTED_BYTES_MAX };
  const { events, more } = journal.eventsAfter(query);
  // At the end of the journal everything up to its newest event has been considered, whoever it belongs to.
  const next = more ? events.at(-1)!.sequence : newest;
  const list = events.map((event) => numberedEventText(event).trimEnd()).join(',');
  const body = `{"events":[${list}],"next":${next},"more":${more}}\n`;
  return { kind: 'text', status: 200, headers: HEADERS, body };
}

/** The answer to a position from which events would be missing; undefined for one that is as good as new. */
export function refusePosition(
  journal: Pick<Journal, 'journalSpan'>,
  instanceId: number,
  since: Position,
): TextReply | undefined {
  if (since === 'now') return undefined;
  const { oldest, newest } = journal.journalSpan(instanceId);
  if (since < oldest) return textError('position-too-old', String(oldest));
  return since > newest ? textError('position-unknown', String(newest)) : undefined;
}
