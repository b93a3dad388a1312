import type { Caller } from '../core/caller.ts';

/**
 * Whose limits a caller's connections count against. Other users of an instance have their own, so that they
 * cannot take root's connections away.
 */
export function callerKey(caller: Caller): string {
  return caller.kind === 'no-instance' ? caller.kind : `${caller.kind} ${caller.instanceId}`;
}
