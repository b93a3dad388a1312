import { expect, it } from 'vitest';
import { agree, CHANGED_MEANWHILE, drop, type GetHosts, put } from './contract-hosts.ts';
import { imageKey, nameOf, profileKey } from './samples.ts';

/** Objects that others use. */
export function describeUses(get: GetHosts): void {
  it('refuses the use of what does not exist', async () => {
    const { a } = get();
    const uses = [profileKey('profile7')];
    await expect(a.commit([put('instance', 1, '')], { uses })).rejects.toMatchObject(CHANGED_MEANWHILE);
    expect(a.state.instances.size).toBe(0);
  });

  it('takes the use of what exists, and of what the same change makes', async () => {
    const { a, b } = get();
    await a.commit([put('image', 1, 'x')]);
    await a.commit([put('profile', 1, ''), put('instance', 1, '')], {
      uses: [profileKey(nameOf('profile', 1)), imageKey(nameOf('image', 1))],
    });
    await agree(a, b);
  });

  it('refuses a change that relies on what has changed meanwhile, and takes it from the newer state', async () => {
    const { a, b } = get();
    await a.commit([put('profile', 1, 'old')]);
    await agree(a, b);
    const same = [profileKey(nameOf('profile', 1))];
    const based = b.revision;
    await b.commit([put('instance', 1, '')], { same });
    await a.commit([put('profile', 1, 'new')]);
    const lost = b.commit([put('instance', 2, '')], { based, same });
    await expect(lost).rejects.toMatchObject(CHANGED_MEANWHILE);
    await b.commit([put('instance', 2, '')], { same });
    await agree(a, b);
    expect(b.state.instances.size).toBe(2);
  });

  it('refuses to drop what has been used meanwhile', async () => {
    const { a, b } = get();
    await a.commit([put('profile', 1, '')]);
    await agree(a, b);
    const key = profileKey(nameOf('profile', 1));
    const based = b.revision;
    await a.commit([put('instance', 1, '')], { uses: [key] });
    const dropped = b.commit([drop('profile', 1)], { based, unused: [key] });
    await expect(dropped).rejects.toMatchObject(CHANGED_MEANWHILE);
    await agree(a, b);
    expect(b.state.profiles.size).toBe(1);
  });

  it('refuses the use of what has been dropped meanwhile', async () => {
    const { a, b } = get();
    await a.commit([put('profile', 1, '')]);
    await agree(a, b);
    const key = profileKey(nameOf('profile', 1));
    const based = b.revision;
    await a.commit([drop('profile', 1)], { unused: [key] });
    const used = b.commit([put('instance', 1, '')], { based, uses: [key] });
    await expect(used).rejects.toMatchObject(CHANGED_MEANWHILE);
    expect(b.state.instances.size).toBe(0);
  });

  it('lets exactly one of a use and a removal at the same time happen', async () => {
    const { a, b } = get();
    for (let round = 10; round < 18; round++) {
      await a.commit([put('profile', round, '')]);
      await agree(a, b);
      const key = profileKey(nameOf('profile', round));
      const { revision: based } = b;
      const outcomes = await Promise.allSettled([
        a.commit([put('instance', round, '')], { uses: [key], based }),
        b.commit([drop('profile', round)], { unused: [key], based }),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await agree(a, b);
      const isUsed = a.state.instances.has(nameOf('instance', round));
      expect(a.state.profiles.has(nameOf('profile', round))).toBe(isUsed);
    }
  });
}
