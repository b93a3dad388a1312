import { expect, it } from 'vitest';
import { agree, type GetHosts, put } from './contract-hosts.ts';
import type { Replica } from './replica.ts';
import { nameOf } from './samples.ts';

/** The order in which hosts are told of commits. */
export function describeOrder(get: GetHosts): void {
  it('applies each own commit once, before it resolves', async () => {
    const { a } = get();
    for (let each = 1; each <= 5; each++) {
      const number = await a.commit([put('alias', each, '')]);
      expect(a.applied.get(number)).toBe(1);
      expect(a.state.aliases.has(nameOf('alias', each))).toBe(true);
    }
    expect([...a.applied.values()]).toEqual([1, 1, 1, 1, 1]);
  });

  it('tells all hosts of all changes, once and in the same order, also of many at once', async () => {
    const { a, b } = get();
    const from = a.revision;
    const commits = Array.from({ length: 60 }, (_, each) =>
      (each % 2 === 0 ? a : b).commit([put('alias', 100 + each, String(each))], { based: from }),
    );
    await Promise.all(commits);
    await agree(a, b);
    const told = (each: Replica) => each.told.map(({ revision, changes }) => [revision, changes] as const);
    expect(told(a)).toEqual(told(b));
    expect(told(a).flatMap(([, changes]) => changes)).toHaveLength(60);
    expect([...a.applied.values(), ...b.applied.values()].every((times) => times === 1)).toBe(true);
  });

  it('passes on the failure to apply a change, and goes on when it has passed', async () => {
    const { a, b } = get();
    a.trouble = new Error('no room');
    await expect(a.commit([put('profile', 1, 'x')])).rejects.toThrow('no room');
    a.trouble = null;
    await agree(a, b);
    await a.commit([put('profile', 2, 'y')]);
    await agree(a, b);
    expect(a.state.profiles.has('profile2')).toBe(true);
  });

  it('waits for a slow follower, and then tells the rest in order', async () => {
    const { a, b } = get();
    const gate = Promise.withResolvers<void>();
    b.gate = gate.promise;
    for (let each = 0; each < 20; each++) await a.commit([put('alias', each, '')]);
    expect(b.told).toHaveLength(0);
    gate.resolve();
    await agree(a, b);
    const revisions = b.told.map(({ revision }) => revision);
    expect(revisions).toEqual([...revisions].sort((one, other) => one - other));
  });
}
