import { describe, expect, it } from 'vitest';
import { fleetPlanOf } from './plan.ts';

describe('the command line of the faults of a fleet', () => {
  it('takes time, seed and folders', () => {
    expect(fleetPlanOf([])).toMatchObject({ kind: 'walk', minutes: 10, seed: undefined });
    expect(fleetPlanOf(['--minutes', '0.5', '--seed', '7', '--root', '/a', '--logs', '/b'])).toEqual({
      ...{ kind: 'walk', minutes: 0.5, seed: '7', root: '/a', logs: '/b', isQuiet: false },
    });
    expect(fleetPlanOf(['-h'])).toEqual({ kind: 'help' });
  });

  it.each([['--minutes', '0'], ['--minutes', 'x'], ['--match', 'a'], ['a']])('refuses %s %s', (...args) => {
    expect(() => fleetPlanOf(args.filter(Boolean))).toThrow();
  });
});
