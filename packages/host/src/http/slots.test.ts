import { describe, expect, it } from 'vitest';
import {
  OTHERS_PER_KEY_MAX,
  REFUSED_PER_KEY_MAX,
  SURE_PER_KEY,
  UNKNOWN_CALLERS_PER_KEY_MAX,
  UNKNOWN_CALLERS_TOTAL_MAX,
} from './connection-limits.ts';
import { type Admission, type Rank, type Share, Slots } from './slots.ts';

const root = (key: string): Share => ({ key, rank: 'root' });
const other = (key: string): Share => ({ key, rank: 'other' });
const unknown = (key: string): Share => ({ key, rank: 'unknown' });

/** How many are admitted until one is not. */
function admitAll(slots: Slots, share: Share, most = 100_000): number {
  let count = 0;
  while (count < most && slots.admit(share) === 'admitted') count++;
  return count;
}

describe('one key', () => {
  it('is refused above its limit, then dropped, while others are admitted', () => {
    const slots = new Slots(2, 10);
    expect(admitAll(slots, root('a'))).toBe(2);
    for (let i = 1; i < REFUSED_PER_KEY_MAX; i++) expect(slots.admit(root('a'))).toBe('refused');
    expect(slots.admit(root('a'))).toBe('dropped');
    expect(slots.admit(root('b'))).toBe('admitted');
  });

  it('is admitted again after a release', () => {
    const slots = new Slots(1, 10);
    slots.admit(root('a'));
    slots.release(root('a'));
    expect(slots.admit(root('a'))).toBe('admitted');
  });

  it('counts root and other users together, and other users cannot use up root’s share', () => {
    const slots = new Slots(256, 10_000);
    expect(admitAll(slots, other('a'))).toBe(OTHERS_PER_KEY_MAX);
    expect(admitAll(slots, root('a'))).toBe(256 - OTHERS_PER_KEY_MAX);
  });
});

describe('all keys', () => {
  it('share one total, but root of each has connections that other keys cannot use up', () => {
    const slots = new Slots(256, 1000);
    const common = [1, 2, 3, 4, 5, 6].map((key) => admitAll(slots, root(`attacker ${key}`)));
    expect(common.reduce((sum, each) => sum + each, 0)).toBe(1000 + 6 * SURE_PER_KEY);
    expect(slots.admit(other('victim'))).toBe('refused');
    for (let key = 0; key < 5000; key++) expect(admitAll(slots, root(`victim ${key}`), 4)).toBe(4);
    expect(slots.admit(root('victim 7'))).not.toBe('admitted');
  });

  it('get only guaranteed connections when descriptors are scarce', () => {
    const slots = new Slots(256, 1000);
    const admitted = Array.from({ length: 6 }, () => slots.admit(root('a'), true));
    expect(admitted).toEqual([...Array(SURE_PER_KEY).fill('admitted'), 'dropped', 'dropped']);
    expect(slots.admit(unknown('b'), true)).toBe('dropped');
  });
});

it('gives unknown callers a small share each and in total, apart from those of instances', () => {
  const slots = new Slots(256, 1000);
  let all = 0;
  for (let uid = 0; uid < 100; uid++) {
    const admitted = admitAll(slots, unknown(`uid ${uid}`));
    expect(admitted).toBeLessThanOrEqual(UNKNOWN_CALLERS_PER_KEY_MAX);
    all += admitted;
  }
  expect([all, slots.admit(unknown('uid 0'))]).toEqual([UNKNOWN_CALLERS_TOTAL_MAX, 'dropped']);
  expect(admitAll(slots, root('a'))).toBe(256);
});

it('has everything back when all have gone, in any order', () => {
  const slots = new Slots(20, 30);
  const ranks: readonly Rank[] = ['root', 'other', 'unknown'];
  for (let round = 0; round < 50; round++) {
    const held: { share: Share; admission: Exclude<Admission, 'dropped'> }[] = [];
    for (let index = 0; index < 300; index++) {
      const share = { key: `${(index * 7) % 5}`, rank: ranks[(index * round) % 3]! };
      const admission = slots.admit(share);
      if (admission !== 'dropped') held.push({ share, admission });
    }
    for (const { share, admission } of round % 2 ? held : held.reverse()) slots.release(share, admission);
  }
  expect([admitAll(slots, root('a')), admitAll(slots, root('b'))]).toEqual([20, 18]);
});
