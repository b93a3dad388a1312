import { describe, expect, it } from 'vitest';
import { percentile, quotients, summarize } from './stats.ts';

describe('a summary', () => {
  it('has the middle, the smallest and the largest, in whatever order they came', () => {
    expect(summarize([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
    expect(summarize([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
  });

  it('of nothing is none', () => {
    expect(summarize([])).toBeUndefined();
    expect(() => percentile([], 50)).toThrow('no values');
  });
});

describe('a percentile', () => {
  it('leaves its part of the values below, and the values in their order', () => {
    const values = Array.from({ length: 101 }, (_, at) => 100 - at);
    expect(percentile(values, 99)).toBe(99);
    expect(percentile(values, 0)).toBe(0);
    expect(percentile(values, 100)).toBe(100);
    expect(values[0]).toBe(100);
  });
});

describe('quotients', () => {
  it('divide round by round, as far as both have rounds', () => {
    expect(quotients([6, 8, 10], [2, 4])).toEqual([3, 2]);
  });
});
