import { describe, expect, it } from 'vitest';
import { percentile, quotients, summarize } from './stats.ts';

describe('a summary', () => {
  it('has the median, the smallest and the largest of values in any order', () => {
    expect(summarize([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
    expect(summarize([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
  });

  it('of no values is undefined, and a percentile of none throws', () => {
    expect(summarize([])).toBeUndefined();
    expect(() => percentile([], 50)).toThrow('no values');
  });
});

describe('a percentile', () => {
  it('is the value below which that part of the values lies, and does not reorder the input', () => {
    const values = Array.from({ length: 101 }, (_, at) => 100 - at);
    expect(percentile(values, 99)).toBe(99);
    expect(percentile(values, 0)).toBe(0);
    expect(percentile(values, 100)).toBe(100);
    expect(values[0]).toBe(100);
  });
});

describe('quotients', () => {
  it('divide round by round, up to the end of the shorter list', () => {
    expect(quotients([6, 8, 10], [2, 4])).toEqual([3, 2]);
  });
});
