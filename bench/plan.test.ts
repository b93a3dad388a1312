import { describe, expect, it } from 'vitest';
import { PARTS } from './figures.ts';
import { planOf } from './plan.ts';

describe('the command line', () => {
  it('asks for everything when it says nothing', () => {
    expect(planOf([])).toMatchObject({ quick: false, parts: Object.keys(PARTS) });
  });

  it('takes parts and rounds', () => {
    expect(planOf(['--quick', '--only', 'b,e', '--rounds', '9'])).toMatchObject({
      quick: true,
      parts: ['b', 'e'],
      rounds: 9,
    });
  });

  it('may ask for help', () => {
    expect(planOf(['--help'])).toBeNull();
  });

  it.each([
    [['--only', 'a,x'], 'no part "x"'],
    [['--only', ''], 'no part ""'],
    [['--rounds', '4'], '--rounds'],
    [['--rounds', '5.5'], '--rounds'],
    [['--fast'], '--fast'],
  ])('%j is refused', (args, why) => {
    expect(() => planOf(args)).toThrow(why);
  });
});
