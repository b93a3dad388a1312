import { describe, expect, it } from 'vitest';
import { Results } from './frame/results.ts';
import { goalText, ratiosOf } from './ratios.ts';

describe('ratios', () => {
  it('divide the values of the same round, then take the median', () => {
    const results = new Results();
    for (const value of [80, 90, 300]) results.add('keepalive-16-key', 'porthole', value);
    for (const value of [100, 100, 200]) results.add('keepalive-16-key', 'nginx', value);
    const { keepalive_vs_nginx } = ratiosOf(results);
    expect(keepalive_vs_nginx).toEqual({ median: 0.9, min: 0.8, max: 1.5, rounds: 3, holds: true });
  });

  it('are null where one of the two was not measured', () => {
    const results = new Results();
    results.add('keepalive-16-key', 'porthole', 80);
    expect(ratiosOf(results)['keepalive_vs_lxd']).toBeNull();
  });

  it('do not hold below their goal', () => {
    const results = new Results();
    results.add('churn-key', 'porthole', 74);
    results.add('churn-key', 'nginx', 100);
    expect(ratiosOf(results)['churn_vs_nginx']).toMatchObject({ holds: false });
    expect(goalText('churn_vs_nginx')).toBe('>= 0.75');
  });

  it('take no value that is not a number', () => {
    expect(() => new Results().add('churn-key', 'nginx', Number.NaN)).toThrow('churn-key of nginx');
  });

  it('hold within another ratio when their median lies between its smallest and its largest value', () => {
    const results = new Results();
    for (const value of [9, 10, 11]) results.add('stopped-median', 'all read', value);
    for (const value of [9, 10.5, 11]) results.add('stopped-median', 'one stopped', value);
    const { stopped_listener_noise_ratio, stopped_listener_median_ratio } = ratiosOf(results);
    expect(stopped_listener_noise_ratio).toMatchObject({ median: 1, min: 0.9, max: 1.1 });
    expect(stopped_listener_median_ratio).toMatchObject({ median: 1, max: 1.05, holds: true });
    expect(goalText('stopped_listener_median_ratio')).toBe('within stopped_listener_noise_ratio');
  });

  it.each([
    [2047, true],
    [2048, false],
  ])('of %d KiB with a limit of 2048 KiB hold: %s', (cost, holds) => {
    const results = new Results();
    results.add('stopped-cost', 'one stopped', cost);
    results.add('stopped-bound', 'one stopped', 2048);
    expect(ratiosOf(results)['stopped_listener_memory_kib']).toMatchObject({ holds });
  });

  it('do not hold when their median lies outside of the other ratio', () => {
    const results = new Results();
    for (const value of [9, 10, 11]) results.add('stopped-median', 'all read', value);
    for (const value of [12, 13, 14]) results.add('stopped-median', 'one stopped', value);
    expect(ratiosOf(results)['stopped_listener_median_ratio']).toMatchObject({ holds: false });
  });
});
