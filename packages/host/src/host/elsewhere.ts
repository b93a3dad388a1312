import type { Requestor } from '../model/events.ts';
import { askMember, othersOnline } from './ask-members.ts';
import type { Edge } from './call.ts';
import type { FleetCases } from './fleet-cases.ts';
import { FIND_OPERATION_MS } from './host-limits.ts';

/** Paths of requests about one instance. */
const OF_INSTANCE = /^\/1\.0\/(instances|containers)\/:name/;
/** Paths of requests about one operation. */
const OF_OPERATION = /^\/1\.0\/operations\/:id/;

export interface Sought {
  /** The path of the route. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly by: Requestor;
}

/**
 * The other member that has what a request is about: the one on which its instance lives, or on which its operation
 * runs. Null if this member answers, also if no member has it.
 */
export async function memberWith(edge: Edge, fleet: FleetCases, sought: Sought): Promise<string | null> {
  const { path, params } = sought;
  if (OF_INSTANCE.test(path)) return unlessOwn(fleet, fleet.memberOf(params['name'] ?? ''));
  if (OF_OPERATION.test(path)) return memberOfOperation(edge, fleet, params['id'] ?? '', sought.by);
  return null;
}

/** A member, or null if it is the own one. */
export function unlessOwn(fleet: FleetCases, member: string | null): string | null {
  return member === fleet.own ? null : member;
}

/** Asks all members for an operation that is not remembered. Members that do not answer in time do not count. */
async function memberOfOperation(
  edge: Edge,
  fleet: FleetCases,
  id: string,
  by: Requestor,
): Promise<string | null> {
  if (hasOperation(edge, id)) return null;
  const remembered = edge.forwards.memberOf(id);
  if (remembered !== undefined) return remembered;
  const path = `/1.0/operations/${encodeURIComponent(id)}`;
  const ask = async (member: string) => {
    const { status } = await askMember(fleet, member, { path, by, withinMs: FIND_OPERATION_MS });
    if (status !== 200) throw new Error('not there');
    edge.forwards.remember(id, member);
    return member;
  };
  return Promise.any(othersOnline(fleet).map(ask)).catch(() => null);
}

function hasOperation({ backend }: Edge, id: string): boolean {
  try {
    return backend.operations.get(id) !== undefined;
  } catch {
    return false;
  }
}
