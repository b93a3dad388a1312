import { hostError } from '../core/host-errors.ts';
import { type Position, readPosition } from '../core/position.ts';
import { parseEventTypes } from '../wire/event.ts';
import type { Answer, Edge } from './call.ts';
import type { EventStreams } from './event-streams.ts';
import type { Claim } from './upgrade.ts';

/** A websocket handshake as handlers see it. */
export interface UpgradeCall {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The member that has sent it; undefined for an operator of this host. */
  readonly sender: string | undefined;
}

/** Takes a place for a websocket, or throws the refusal. */
export type UpgradeHandler = (edge: Edge, events: EventStreams, call: UpgradeCall) => Claim;

/**
 * GET /1.0/events: all events, or those of the types in `type`; with `since`, lifecycle events from a
 * position on. An operator gets the events of all members; positions are those of the own member.
 */
export function listenToEvents(_edge: Edge, events: EventStreams, { query, sender }: UpgradeCall): Claim {
  const everywhere = sender === undefined;
  return events.claim({ types: parseEventTypes(query.get('type')), since: sinceOf(query), everywhere });
}

function sinceOf(query: URLSearchParams): Position | undefined {
  const given = query.get('since');
  if (given === null) return undefined;
  const since = readPosition(given);
  if (since !== undefined) return since;
  throw hostError('bad-request', 'Invalid position: since takes a sequence number or now');
}

/** GET /1.0/operations/ID/websocket: the stream of an exec that `secret` belongs to. */
export function connectExec(
  { backend, execs }: Edge,
  _events: EventStreams,
  { params, query }: UpgradeCall,
): Claim {
  const { id, class: kind } = backend.operations.get(params['id'] ?? '');
  if (kind !== 'websocket') throw hostError('bad-request', 'Only websocket operations can be connected');
  return execs.claim(id, query.get('secret') ?? '');
}

/** Answers requests to the same paths without a handshake. */
export function needsUpgrade(): Answer {
  throw hostError('bad-request', 'This is a websocket: an upgrade is required');
}
