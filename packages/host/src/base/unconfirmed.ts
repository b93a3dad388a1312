import { AsyncLocalStorage } from 'node:async_hooks';

const collected = new AsyncLocalStorage<Set<string>>();

/**
 * Does some work, and collects the members of the fleet that have not confirmed its changes in time, without passing
 * them through everything between.
 */
export async function collectingUnconfirmed<T>(
  work: () => Promise<T> | T,
): Promise<{ readonly result: T; readonly unconfirmed: readonly string[] }> {
  const names = new Set<string>();
  const result = await collected.run(names, async () => work());
  return { result, unconfirmed: [...names].sort() };
}

/** Tells whoever collects. */
export function addUnconfirmed(members: Iterable<string>): void {
  const names = collected.getStore();
  for (const member of members) names?.add(member);
}
