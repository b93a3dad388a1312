import { expect, it } from 'vitest';
import { HeldCallers } from './held-callers.ts';

/** How many callers of a namespace are held until one is not. */
function holdAll(held: HeldCallers<number>, namespace: string, most = 100_000): number {
  let count = 0;
  while (count < most && held.hold(namespace, count)) count++;
  return count;
}

it('holds a limited number of callers of one namespace, independent of others, and more when these have gone', () => {
  const held = new HeldCallers<number>();
  expect([holdAll(held, 'one'), holdAll(held, 'two'), held.count]).toEqual([256, 256, 512]);
  expect(held.take('one')).toHaveLength(256);
  expect([held.take('one'), held.count, holdAll(held, 'one')]).toEqual([[], 256, 256]);
});

it('gives back one caller', () => {
  const held = new HeldCallers<number>();
  for (const caller of [1, 2]) held.hold('one', caller);
  expect([held.remove('one', 1), held.remove('one', 1), held.remove('two', 2), held.count]).toEqual([
    ...[true, false, false, 1],
  ]);
  expect([held.remove('one', 2), held.count, held.takeAll()]).toEqual([true, 0, []]);
});

it('keeps places for each of thousands of namespaces when some hold as many as they may', () => {
  const held = new HeldCallers<number>();
  for (let attacker = 0; attacker < 100; attacker++) holdAll(held, `attacker ${attacker}`);
  for (let victim = 0; victim < 4000; victim++) expect(holdAll(held, `victim ${victim}`, 4)).toBe(4);
  expect(holdAll(held, 'victim 1')).toBe(0);
});

it('ends at a total, for any mixture of namespaces, and returns all', () => {
  const held = new HeldCallers<number>();
  let all = 0;
  for (let namespace = 0; namespace < 10_000; namespace++) all += holdAll(held, `${namespace}`);
  expect([all, held.count, held.takeAll().length, held.count]).toEqual([32_768, 32_768, 32_768, 0]);
});
