import { CodedError } from '../../base/coded-error.ts';
import type { Etcd } from '../../etcd/client.ts';
import type { KeyValue } from '../../etcd/requests.ts';
import type { WatchEvent } from '../../etcd/watch-types.ts';
import type { Loss } from '../shared-store.ts';
import type { FleetKeys } from './fleet-keys.ts';

// etcd has the same revision twice when it has been restored from a copy and has gone on since. Each commit leaves a
// token of its own, so that the newest commit up to a revision tells the two apart.

/** What tells a history from others with the same revision: the newest commit. */
function markOf({ modRevision, value }: KeyValue): string {
  return `${modRevision}:${value}`;
}

/** The mark when nothing has been committed yet. */
const NO_COMMITS = '0:';

/** The mark after some events; undefined if it is not known. */
export function markAfter(
  mark: string | undefined,
  events: readonly WatchEvent[],
  keys: FleetKeys,
): string | undefined {
  const folder = keys.folder('commits');
  const commits = events.filter(({ kv }) => kv.key.startsWith(folder));
  if (commits.some(({ type }) => type === 'delete')) return undefined;
  const [last] = commits.slice(-1);
  return last ? markOf(last.kv) : mark;
}

/** The newest of some keys; the mark of all of them. */
export function newestMark(kvs: Iterable<KeyValue>): string {
  let newest: KeyValue | undefined;
  for (const kv of kvs) if (!newest || kv.modRevision > newest.modRevision) newest = kv;
  return newest ? markOf(newest) : NO_COMMITS;
}

/** Reads the mark at a revision; or finds that etcd no longer has the revision, or does not have it yet. */
export async function readMark(
  etcd: Etcd,
  keys: FleetKeys,
  revision: number,
): Promise<{ readonly mark: string } | { readonly loss: Loss }> {
  // Before the first revision there is nothing that could differ.
  if (revision < 1) return { mark: NO_COMMITS };
  try {
    const { kvs } = await etcd.range({ prefix: keys.folder('commits'), revision });
    return { mark: newestMark(kvs) };
  } catch (error) {
    const loss = error instanceof CodedError ? LOSSES.get(error.code) : undefined;
    if (loss) return { loss };
    throw error;
  }
}

const LOSSES: ReadonlyMap<string, Loss> = new Map([
  ['etcd-compacted', 'compacted'],
  ['etcd-future-revision', 'replaced'],
]);
