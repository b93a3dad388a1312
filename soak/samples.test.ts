import { expect, it } from 'vitest';
import { largestOf, latenciesOf, medianOf } from './samples.ts';
import { sampleAt } from './testing/sample-at.ts';

const none = { kept: [], fresh: [], main: [], state: [], change: [] };

it('the percentiles of each kind of request are its own', () => {
  const found = latenciesOf({ ...none, kept: [1, 2, 3], change: [7] });
  expect(found).toMatchObject({ keptP50: 2, keptP99: expect.closeTo(2.98), changeP50: 7, changeP99: 7 });
});

it('a kind without any request has no percentiles', () => {
  expect(latenciesOf(none)).toEqual({
    ...{ keptP50: null, keptP99: null, freshP99: null, mainP99: null, changeP50: null, changeP99: null },
  });
});

it('the median of a stretch of time counts only its samples, and only those with the figure', () => {
  const samples = [1, 2, 30, 4, 500].map((pss, at) => sampleAt(at, { pss, heap: at === 2 ? null : at }));
  expect(medianOf(samples, 'pss', [1, 3])).toBe(4);
  expect(medianOf(samples, 'heap', [1, 3])).toBe(2);
  expect(medianOf(samples, 'heap', [2, 2])).toBeUndefined();
  expect(medianOf(samples, 'pss', [5, 9])).toBeUndefined();
});

it('the largest value passes over samples without the figure', () => {
  expect(largestOf([sampleAt(0, { wal: 2 }), sampleAt(1, { wal: 7 })], 'wal')).toBe(7);
  expect(largestOf([sampleAt(0, { heap: null })], 'heap')).toBe(0);
});
