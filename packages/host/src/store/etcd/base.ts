import { CodedError } from '../../base/coded-error.ts';
import { hostError } from '../../core/host-errors.ts';
import type { Etcd } from '../../etcd/client.ts';
import type { KnownKeys } from './known-keys.ts';
import type { Base } from './transaction.ts';

/** Where some keys were changed last, as it was at a revision; or the keys that have been changed since. */
export type BaseOrChanged = { readonly base: Base } | { readonly changed: readonly string[] };

/**
 * Finds out where keys were changed last. Usually all is known here; otherwise it asks etcd.
 * @throws CodedError changed-meanwhile if etcd no longer has the revision, and etcd's
 */
export async function baseOf(
  names: readonly string[],
  revision: number,
  { etcd, known }: { readonly etcd: Etcd; readonly known: KnownKeys },
): Promise<BaseOrChanged> {
  const found = names.map((key) => [key, known.at(key, revision)] as const);
  const changed = found.flatMap(([key, at]) => (at === 'changed-since' ? [key] : []));
  if (changed.length > 0) return { changed };
  const base = new Map<string, number>();
  for (const [key, at] of found) if (typeof at === 'number') base.set(key, at);
  const unknown = names.filter((key) => !base.has(key));
  const read = await Promise.all(unknown.map((key) => readAt(etcd, key, revision)));
  for (const [index, kv] of read.entries()) {
    base.set(unknown[index] as string, kv?.modRevision ?? 0);
    if (kv) known.learn(kv, revision);
  }
  return { base };
}

async function readAt(etcd: Etcd, key: string, revision: number) {
  try {
    const { kvs } = await etcd.range({ key, revision, keysOnly: true });
    return kvs[0];
  } catch (error) {
    if (error instanceof CodedError && error.code === 'etcd-compacted')
      throw hostError('changed-meanwhile', 'The fleet');
    throw error;
  }
}
