import { expect, it } from 'vitest';
import { collectingUnconfirmed } from '../base/unconfirmed.ts';
import type { SharedChange } from '../core/shared.ts';
import type { SharedCommit } from '../store/shared-store.ts';
import { commitConfirmed } from './confirm.ts';
import { Mirror } from './mirror.ts';
import { memberOf } from './testing/member-host.ts';

const PROFILE: SharedChange = { kind: 'delete-profile', name: 'p' };
const INSTANCE: SharedChange = { kind: 'delete-instance', name: 'c1' };

/** The member `a` of a fleet with `b` and `c`, all with a lease. */
function world(ask: (member: string, revision: number) => Promise<boolean>) {
  const mirror = new Mirror({ member: 'a', revision: 7 }, new Map());
  const puts = ['a', 'b', 'c'].flatMap((name): SharedChange[] => [
    { kind: 'put-member', member: memberOf(name) },
    { kind: 'put-alive', member: name, run: 'r' },
  ]);
  mirror.apply({ revision: 7 }, puts);
  const asked: string[] = [];
  const store = {
    commit: async (commit: SharedCommit) =>
      commit.apply([{ kind: 'put-fleet', fleet: { member: 'a', revision: 8 } }]),
  };
  const commit = (change: SharedChange) => {
    const parts = { changes: [change], based: 7, same: [], uses: [], unused: [], apply: () => {} };
    const note = (member: string, revision: number) => {
      asked.push(`${member} ${revision}`);
      return ask(member, revision);
    };
    return collectingUnconfirmed(() => commitConfirmed({ store, mirror, ask: note }, parts));
  };
  return { mirror, asked, commit, store };
}

it('asks all others that have a lease whether they have applied the revision', async () => {
  const { asked, commit } = world(async () => true);
  expect((await commit(PROFILE)).unconfirmed).toEqual([]);
  expect(asked.sort()).toEqual(['b 8', 'c 8']);
});

it('asks nobody about a change of an own instance', async () => {
  const { asked, commit } = world(async () => true);
  expect((await commit(INSTANCE)).unconfirmed).toEqual([]);
  expect(asked).toEqual([]);
});

it('names members that have not, or cannot be asked', async () => {
  const { commit } = world(async (member) => {
    if (member === 'c') throw new Error('unreachable');
    return false;
  });
  expect((await commit(PROFILE)).unconfirmed).toEqual(['b', 'c']);
});

it('does not wait for a member that loses its lease meanwhile', async () => {
  const never = new Promise<boolean>(() => {});
  const { mirror, commit } = world((member) => (member === 'b' ? never : Promise.resolve(true)));
  const done = commit(PROFILE);
  await new Promise(setImmediate);
  mirror.apply({ revision: 9 }, [{ kind: 'delete-alive', member: 'b' }]);
  expect((await done).unconfirmed).toEqual([]);
});

it('asks no host that is joining or has left, although it still has its lease', async () => {
  const { mirror, asked, commit } = world(async () => false);
  mirror.apply({ revision: 8 }, [
    { kind: 'put-member', member: { ...memberOf('b'), state: 'joining' } },
    { kind: 'delete-member', name: 'c' },
  ]);
  expect((await commit(PROFILE)).unconfirmed).toEqual([]);
  expect(asked).toEqual([]);
});

it('keeps nothing waiting but the answer', async () => {
  const answer = Promise.withResolvers<boolean>();
  const { mirror, asked, store } = world(async () => true);
  let isCommitted = false;
  const parts = { changes: [PROFILE], based: 7, same: [], uses: [], unused: [], apply: () => {} };
  const done = collectingUnconfirmed(async () => {
    await commitConfirmed({ store, mirror, ask: () => answer.promise }, parts);
    isCommitted = true;
  });
  await new Promise(setImmediate);
  expect(isCommitted).toBe(true);
  answer.resolve(false);
  expect([(await done).unconfirmed, asked]).toEqual([['b', 'c'], []]);
});
