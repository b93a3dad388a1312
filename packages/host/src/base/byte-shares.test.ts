import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteShares } from './byte-shares.ts';

const LIMITS = { each: 100, sure: 10, common: 150 };

it('lets one owner hold no more than its limit', () => {
  const shares = new ByteShares<number>(LIMITS);
  shares.of(1).count(100);
  expect(shares.of(1).hasRoom(1)).toBe(false);
  expect(shares.of(2).hasRoom(60)).toBe(true);
});

it('keeps the guaranteed bytes of every owner free when others hold all that is shared', () => {
  const shares = new ByteShares<number>(LIMITS);
  for (const owner of [1, 2, 3]) shares.of(owner).count(60);
  expect(shares.of(4).hasRoom(10)).toBe(true);
  expect(shares.of(4).hasRoom(11)).toBe(false);
  shares.of(1).count(-1);
  expect(shares.of(4).hasRoom(11)).toBe(true);
});

it('never gives out more than the limits allow, and keeps nothing about owners that hold no bytes', () => {
  const step = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 40 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const shares = new ByteShares<number>(LIMITS);
      const given: [number, number][] = [];
      for (const [owner, bytes] of steps) {
        if (!shares.of(owner).hasRoom(bytes)) continue;
        shares.of(owner).count(bytes);
        given.push([owner, bytes]);
      }
      const total = given.reduce((sum, [, bytes]) => sum + bytes, 0);
      expect(total).toBeLessThanOrEqual(LIMITS.common + 6 * LIMITS.sure);
      for (const [owner, bytes] of given) shares.of(owner).count(-bytes);
      expect(shares).toEqual(new ByteShares<number>(LIMITS));
    }),
  );
});
