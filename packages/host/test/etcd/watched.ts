import type { Etcd } from '../../src/etcd/client.ts';
import type { WatchEnd, WatchEvent, WatchRequest } from '../../src/etcd/watch-types.ts';

/** What a watch has told. */
export interface Watched {
  readonly batches: { readonly revision: number; readonly events: readonly WatchEvent[] }[];
  readonly progress: number[];
  readonly ended: Promise<WatchEnd>;
  readonly endpoint: string;
  /** All batches up to this revision, as soon as they are there. */
  upTo(revision: number): Promise<void>;
  close(): void;
}

/** Watches all keys with a prefix, and notes everything. */
export async function watched(
  etcd: Etcd,
  prefix: string,
  options: Partial<
    Pick<WatchRequest, 'startRevision' | 'silenceMs' | 'progressNotify' | 'prevKv' | 'signal'>
  > = {},
): Promise<Watched> {
  const batches: Watched['batches'] = [];
  const progress: number[] = [];
  const end = Promise.withResolvers<WatchEnd>();
  let told = Promise.withResolvers<void>();
  const watch = await etcd.watch({
    prefix,
    ...options,
    onEvents(events, revision) {
      batches.push({ revision, events });
      told.resolve();
      told = Promise.withResolvers<void>();
    },
    onProgress: (revision) => void progress.push(revision),
    onEnd: end.resolve,
  });
  return {
    batches,
    progress,
    ended: end.promise,
    endpoint: watch.endpoint,
    close: () => watch.close(),
    async upTo(revision) {
      while ((batches.at(-1)?.revision ?? 0) < revision) await told.promise;
    },
  };
}
