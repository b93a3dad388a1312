import { expect, it } from 'vitest';
import { agree, type GetHosts, put } from './contract-hosts.ts';

/** Followers that begin and end. */
export function describeFollowing(get: GetHosts): void {
  it('tells a follower that comes later what it has missed', async () => {
    const { a, b } = get();
    await a.commit([put('profile', 1, 'x')]);
    await agree(a, b);
    b.stop();
    const { revision, mark } = b;
    const told: number[] = [];
    for (let each = 2; each < 6; each++) await a.commit([put('profile', each, 'y')]);
    const caughtUp = Promise.withResolvers<void>();
    const stop = b.store.follow(
      revision,
      {
        changed: (batch) => {
          told.push(...batch.changes.map(() => batch.revision));
          if (told.length === 4) caughtUp.resolve();
        },
        lost: () => caughtUp.reject(new Error('lost')),
      },
      mark,
    );
    await caughtUp.promise;
    stop();
    expect(told[0]).toBeGreaterThan(revision);
  });

  it('tells nothing after the end', async () => {
    const { a, b } = get();
    b.stop();
    const { length } = b.told;
    await a.commit([put('profile', 1, 'x')]);
    const { state } = await b.store.load();
    expect(state.profiles.size).toBe(1);
    expect(b.told).toHaveLength(length);
  });

  it('says that the history is lost, if it is older than what the store has', async () => {
    const { b } = get();
    b.stop();
    const lost = Promise.withResolvers<void>();
    b.store.follow(
      1,
      {
        changed: () => lost.reject(new Error('it has the history')),
        lost: () => lost.resolve(),
      },
      'another history',
    );
    await lost.promise;
  });
}
