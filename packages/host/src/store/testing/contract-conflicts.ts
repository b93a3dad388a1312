import { expect, it } from 'vitest';
import { agree, CHANGED_MEANWHILE, drop, type GetHosts, put } from './contract-hosts.ts';
import type { Replica } from './replica.ts';
import { type CommittedKind, sampleProfile } from './samples.ts';

/** What two hosts do to one object at the same time, after what was there before. */
const RACES = [
  ['put', 'put', 'put'],
  ['put', 'drop', 'put'],
  ['put', 'put', 'drop'],
  ['put', 'drop', 'drop'],
  ['nothing', 'put', 'put'],
  ['nothing', 'put', 'drop'],
] as const;

/** Commits that other commits came before. */
export function describeConflicts(get: GetHosts): void {
  it.each(RACES)(
    'refuses the second of two changes of each kind: after %s, %s and %s',
    async (before, first, second) => {
      const { a, b, kinds } = get();
      const change = (what: 'put' | 'drop', kind: CommittedKind, value: string) =>
        what === 'put' ? put(kind, 3, value) : drop(kind, 3);
      for (const kind of kinds) {
        if (before === 'put') await a.commit([put(kind, 3, 'before')]);
        await agree(a, b);
        const based = b.revision;
        await a.commit([change(first, kind, 'first')]);
        const lost = b.commit([change(second, kind, 'second')], { based });
        await expect(lost, kind).rejects.toMatchObject(CHANGED_MEANWHILE);
        // It can be made again at once: the newer state is there.
        await b.commit([change(second, kind, 'again')]);
        await agree(a, b);
      }
    },
  );

  it('takes changes of different objects that were made from the same state', async () => {
    const { a, b } = get();
    const based = b.revision;
    await a.commit([put('profile', 1, 'a')], { based });
    await b.commit([put('profile', 2, 'b')], { based });
    await agree(a, b);
    expect([...a.state.profiles.keys()].sort()).toEqual(['profile1', 'profile2']);
  });

  it('loses no change of two hosts that change one object again and again', async () => {
    const { a, b } = get();
    await a.commit([{ kind: 'put-profile', profile: sampleProfile('p', '0') }]);
    await agree(a, b);
    const add = (each: Replica) => async () => {
      for (let left = 15; left > 0; left--)
        await each.change(({ profiles }) => {
          const count = Number(profiles.get('p')?.config['user.value']) + 1;
          return [{ kind: 'put-profile', profile: sampleProfile('p', String(count)) }];
        });
    };
    await Promise.all([add(a)(), add(b)()]);
    await agree(a, b);
    expect(a.state.profiles.get('p')?.config['user.value']).toBe('30');
  });
}
