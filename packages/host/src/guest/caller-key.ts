import type { Caller } from '../core/caller.ts';
import type { Accepted } from '../http/application.ts';

/**
 * Whose limits and turns a caller's connections count against: all users of an instance together, and outside of
 * instances each user of the host alone.
 */
function callerKey(caller: Caller): string {
  return caller.kind === 'no-instance' ? `user ${caller.uid ?? 'unknown'}` : `instance ${caller.instanceId}`;
}

const RANKS = { instance: 'root', 'not-root': 'other', 'no-instance': 'unknown' } as const;

/** A caller with the share that its connections come out of. */
export function acceptedOf(caller: Caller): Accepted<Caller> {
  return { peer: caller, key: callerKey(caller), rank: RANKS[caller.kind] };
}
