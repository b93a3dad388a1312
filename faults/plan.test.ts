import { describe, expect, it } from 'vitest';
import { planOf } from './plan.ts';

describe('the command line of the walk', () => {
  it('walks everywhere by default', () => {
    expect(planOf([])).toEqual({ kind: 'walk', places: ['memory', 'real'], match: '' });
    expect(planOf(['--only', 'real', '--match', 'hang'])).toEqual({
      ...{ kind: 'walk', places: ['real'], match: 'hang' },
    });
  });

  it('takes time and seed of a random walk', () => {
    expect(planOf(['--random', '--minutes', '2.5', '--seed', '7'])).toMatchObject({
      minutes: 2.5,
      seed: '7',
    });
    expect(planOf(['--random'])).toMatchObject({ minutes: 20, seed: undefined });
  });

  it.each([
    ['--only', 'x'],
    ['--seed', '7'],
    ['--random', '--match', 'x'],
    ['--random', '--minutes', '0'],
    ['--x'],
  ])('refuses %s %s', (...args) => {
    expect(() => planOf(args)).toThrow();
  });
});
