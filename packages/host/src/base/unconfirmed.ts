import { AsyncLocalStorage } from 'node:async_hooks';

interface Collected {
  readonly names: Set<string>;
  /** Members are still asked. */
  readonly asking: Promise<void>[];
}

const collected = new AsyncLocalStorage<Collected>();

/**
 * Does some work, and collects the members of the fleet that have not confirmed its changes in time, without passing
 * them through everything between. Settles when all have been asked: the work itself does not wait for them.
 */
export async function collectingUnconfirmed<T>(
  work: () => Promise<T> | T,
): Promise<{ readonly result: T; readonly unconfirmed: readonly string[] }> {
  const found: Collected = { names: new Set(), asking: [] };
  try {
    const result = await collected.run(found, async () => work());
    await Promise.all(found.asking);
    return { result, unconfirmed: [...found.names].sort() };
  } finally {
    await Promise.all(found.asking);
  }
}

/** Adds members to what the surrounding work collects. @param members never rejects */
export function addUnconfirmed(members: Iterable<string> | Promise<Iterable<string>>): void {
  const found = collected.getStore();
  const add = (names: Iterable<string>) => {
    for (const name of names) found?.names.add(name);
  };
  if (members instanceof Promise) found?.asking.push(members.then(add));
  else add(members);
}
