import { describe, expect, it } from 'vitest';
import type { Change } from '../../core/entities.ts';
import type { SharedChange } from '../../core/shared.ts';
import { Replica } from '../testing/replica.ts';
import { sampleProfile } from '../testing/samples.ts';
import { type ContractSubject, describeSharedStore } from '../testing/shared-contract.ts';
import { SqliteShared } from './shared.ts';
import { Store } from './store.ts';

/** The changes of the single host's own tables. */
function localOf(change: SharedChange, store: Store): Change[] {
  const NEVER = '1970-01-01T00:00:00Z';
  switch (change.kind) {
    case 'put-instance': {
      const { member: _, ...instance } = change.instance;
      return [{ kind: 'put-instance', instance: { ...instance, lastStartedAt: NEVER } }];
    }
    case 'delete-instance':
      return [...store.load().instances.values()]
        .filter(({ name }) => name === change.name)
        .map(({ id }) => ({ kind: 'delete-instance', id }));
    case 'put-image':
      return [{ kind: 'put-image', image: { ...change.image, lastUsedAt: NEVER } }];
    case 'put-member':
    case 'delete-member':
    case 'put-alive':
    case 'delete-alive':
    case 'put-holder':
    case 'delete-holder':
      return [];
    default:
      return [change];
  }
}

async function open(): Promise<ContractSubject> {
  const store = new Store(':memory:');
  const shared = new SqliteShared(store, 'a');
  const write = (changes: readonly SharedChange[]) =>
    void store.commit(
      changes.flatMap((change) => localOf(change, store)),
      [],
    );
  const replica = await new Replica(shared, write).start();
  return {
    kinds: ['profile', 'instance', 'image', 'alias'],
    replica: async () => replica,
    close: async () => {
      replica.stop();
      store.close();
    },
  };
}

describeSharedStore('the store of a single host', open);

describe('SqliteShared', () => {
  it('applies a commit inside the call', () => {
    const shared = new SqliteShared(new Store(':memory:'));
    const calls: string[] = [];
    const change: SharedChange = { kind: 'put-profile', profile: sampleProfile('p') };
    void shared.commit({
      ...{ changes: [change], based: shared.revision, same: [], uses: [], unused: [] },
      apply: (extra) => calls.push(`applied with ${extra.length}`),
    });
    calls.push('after the call');
    expect(calls).toEqual(['applied with 0', 'after the call']);
  });

  it('does not take a revision of an earlier daemon for one of its own', async () => {
    const early = new SqliteShared(new Store(':memory:'), '', { now: () => new Date(1_000) });
    const later = new SqliteShared(new Store(':memory:'), '', { now: () => new Date(2_000) });
    const lost = Promise.withResolvers<void>();
    later.follow(early.revision, { changed: () => {}, lost: () => lost.resolve() });
    await lost.promise;
  });

  it('takes no more memory after many commits, and still sees conflicts with old ones', async () => {
    const shared = new SqliteShared(new Store(':memory:'));
    const { revision: based } = shared;
    const commit = (name: string, from: number) =>
      shared.commit({
        ...{ changes: [{ kind: 'delete-profile', name }], based: from, same: [], uses: [], unused: [] },
        apply: () => {},
      });
    for (let each = 0; each < 1_500; each++) await commit(`p${each}`, shared.revision);
    await expect(commit('p0', based)).rejects.toMatchObject({ code: 'changed-meanwhile' });
    await expect(commit('p1499', based)).rejects.toMatchObject({ code: 'changed-meanwhile' });
    await commit('p1499', shared.revision);
  });
});
