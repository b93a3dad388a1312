import { expect, it } from 'vitest';
import { silentLog } from '../../base/log.ts';
import { SLICE } from '../../base/slices.ts';
import type { Etcd } from '../../etcd/client.ts';
import type { WatchRequest } from '../../etcd/watch-types.ts';
import { FleetKeys } from './fleet-keys.ts';
import { Following } from './following.ts';
import { KnownKeys } from './known-keys.ts';
import { RevisionReader } from './revisions.ts';

const REVISIONS = 2 * SLICE + 50;

/** An etcd that tells of many revisions at once. */
function etcdWith(revisions: number): Pick<Etcd, 'range' | 'watch'> {
  return {
    range: async () => ({ kvs: [], revision: revisions, more: false, count: 0 }),
    async watch({ onEvents }: WatchRequest) {
      for (let revision = 1; revision <= revisions; revision++) {
        const value = JSON.stringify({ target: 'f'.repeat(64), description: `${revision}` });
        const kv = {
          key: '/p/aliases/a',
          value,
          modRevision: revision,
          createRevision: 1,
          version: revision,
          lease: '0',
        };
        onEvents([{ type: 'put', kv }], revision);
      }
      return { createdRevision: 0, endpoint: '', close() {} };
    },
  };
}

it('Many revisions that come at once leave other work its turns', async () => {
  const keys = new FleetKeys('/p/');
  const parts = {
    ...{ etcd: etcdWith(REVISIONS) as Etcd, keys, known: new KnownKeys(), log: silentLog },
    reader: new RevisionReader(keys, { member: 'm', run: 'r', log: silentLog }),
    monotonicMs: () => 0,
  };
  let told = 0;
  const follower = { changed: () => void told++, lost: () => {} };
  const following = new Following(parts, 0, follower, undefined);
  const seen = new Set<number>();
  while (told < REVISIONS) {
    seen.add(told);
    await new Promise(setImmediate);
  }
  following.stop();
  expect([...seen]).toEqual([0, SLICE, 2 * SLICE]);
});
