import { describe, expect, it } from 'vitest';
import { planOf } from './plan.ts';

describe('the command line', () => {
  it('asks for half an hour when it is empty', () => {
    expect(planOf([])).toEqual({
      ...{ minutes: 30, containers: 50, adopted: 1000, rate: 400, seed: 1 },
      ...{ out: undefined, record: false, redraw: false },
    });
  });

  it('takes numbers and files', () => {
    const args = [
      '--minutes',
      '1.5',
      '--containers',
      '5',
      '--adopted',
      '100',
      '--seed',
      '7',
      '--out',
      'x.json',
    ];
    expect(planOf(args)).toMatchObject({ minutes: 1.5, containers: 5, adopted: 100, seed: 7, out: 'x.json' });
  });

  it('may ask for help', () => {
    expect(planOf(['--help'])).toBeNull();
  });

  it.each([
    [['--minutes', '0'], '--minutes: a number from 0.5 to 1440'],
    [['--minutes', 'ten'], '--minutes'],
    [['--containers', '1.5'], '--containers: a whole number from 1 to 500'],
    [['--adopted', ''], '--adopted'],
    [['--seed', '-1'], '--seed'],
    [['--hours', '1'], '--hours'],
    [['more'], 'more'],
  ])('refuses %j', (args, message) => {
    expect(() => planOf(args)).toThrow(message);
  });
});
