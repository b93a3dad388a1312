import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HOST, Sizes } from './journal-sizes.ts';

it('finds the largest and its lead, as a look at all does, for any moves', () => {
  const moves = fc.array(fc.record({ owner: fc.integer({ min: 1, max: 5 }), count: fc.nat(9) }));
  fc.assert(
    fc.property(moves, (all) => {
      const sizes = new Sizes();
      const counts = new Map<number, number>();
      for (const { owner, count } of all) {
        sizes.move(owner, counts.get(owner) ?? 0, count);
        counts.set(owner, count);
        const [most = 0, next = 0] = [...counts.values()].sort((one, other) => other - one);
        const largest = sizes.largest();
        if (most === 0) expect(largest).toEqual({ owner: HOST, lead: 0 });
        else expect([counts.get(largest.owner), largest.lead]).toEqual([most, most - next]);
      }
    }),
  );
});
