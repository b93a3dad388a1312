import type { Caller } from '../core/caller.ts';
import type { Accepted } from '../http/application.ts';

/**
 * The key that a caller's limits and turns are counted under: all users of an instance share one; each host
 * user outside of instances has another.
 */
function callerKey(caller: Caller): string {
  return caller.kind === 'no-instance' ? `user ${caller.uid ?? 'unknown'}` : `instance ${caller.instanceId}`;
}

const RANKS = { instance: 'root', 'not-root': 'other', 'no-instance': 'unknown' } as const;

/** A caller with the share that its connections count toward. */
export function acceptedOf(caller: Caller): Accepted<Caller> {
  return { peer: caller, key: callerKey(caller), rank: RANKS[caller.kind] };
}
