import { describe, expect, it } from 'vitest';
import { Results } from './frame/results.ts';
import { goalText, ratiosOf } from './ratios.ts';

describe('ratios', () => {
  it('divide the values of the same round, then take the middle', () => {
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

  it('take no value that is none', () => {
    expect(() => new Results().add('churn-key', 'nginx', Number.NaN)).toThrow('churn-key of nginx');
  });
});
