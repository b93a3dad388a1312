import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventShares } from './event-shares.ts';

const LIMITS = { eventInstanceBytes: 100, eventSureBytes: 10, eventCommonBytes: 150 };

it('lets one instance hold only so much', () => {
  const shares = new EventShares(LIMITS);
  shares.count(1, 100);
  expect(shares.hasRoom(1, 1)).toBe(false);
  expect(shares.hasRoom(2, 60)).toBe(true);
});

it('leaves to every instance what it is sure of, however much others hold', () => {
  const shares = new EventShares(LIMITS);
  for (const instance of [1, 2, 3]) shares.count(instance, 60);
  expect(shares.hasRoom(4, 10)).toBe(true);
  expect(shares.hasRoom(4, 11)).toBe(false);
  shares.count(1, -1);
  expect(shares.hasRoom(4, 11)).toBe(true);
});

it('never lets all together have more than there is, and forgets what has gone', () => {
  const step = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 40 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const shares = new EventShares(LIMITS);
      const given: [number, number][] = [];
      for (const [instance, bytes] of steps) {
        if (!shares.hasRoom(instance, bytes)) continue;
        shares.count(instance, bytes);
        given.push([instance, bytes]);
      }
      const total = given.reduce((sum, [, bytes]) => sum + bytes, 0);
      expect(total).toBeLessThanOrEqual(LIMITS.eventCommonBytes + 6 * LIMITS.eventSureBytes);
      for (const [instance, bytes] of given) shares.count(instance, -bytes);
      expect(shares).toEqual(new EventShares(LIMITS));
    }),
  );
});
