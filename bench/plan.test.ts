import { describe, expect, it } from 'vitest';
import { PARTS } from './figures.ts';
import { isWhole, type Plan, planOf } from './plan.ts';

describe('the command line', () => {
  it('asks for all parts when it is empty', () => {
    expect(planOf([])).toMatchObject({ quick: false, parts: Object.keys(PARTS) });
  });

  it('takes parts and rounds', () => {
    expect(planOf(['--quick', '--only', 'b,e', '--rounds', '9'])).toMatchObject({
      quick: true,
      parts: ['b', 'e'],
      rounds: 9,
    });
  });

  it('asks for part n alone when it names attacks, unless it names parts too', () => {
    expect(planOf(['--attack', 'put,images'])).toMatchObject({
      parts: ['n'],
      attacks: [{ name: 'put' }, { name: 'images' }],
    });
    expect(planOf(['--attack', 'put', '--only', 'a,n'])).toMatchObject({ parts: ['a', 'n'] });
  });

  it('does not ask for a whole run when it leaves out attacks', () => {
    const all = Object.keys(PARTS).join();
    expect(isWhole(planOf(['--only', all]) as Plan)).toBe(true);
    expect(isWhole(planOf(['--only', all, '--attack', 'put']) as Plan)).toBe(false);
  });

  it('may ask for help', () => {
    expect(planOf(['--help'])).toBeNull();
  });

  it.each([
    [['--only', 'a,x'], 'no part "x"'],
    [['--only', ''], 'no part ""'],
    [['--rounds', '4'], '--rounds'],
    [['--rounds', '5.5'], '--rounds'],
    [['--attack', 'put,x'], 'no "x"'],
    [['--checkout', '/nowhere'], '--checkout'],
    [['--fast'], '--fast'],
  ])('%j is refused', (args, why) => {
    expect(() => planOf(args)).toThrow(why);
  });
});
