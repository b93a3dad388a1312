import { describe, expect, it } from 'vitest';
import type { FigureKey } from '../figures.ts';
import { Results } from '../frame/results.ts';
import { ATTACKS, type Attack, CONTROLS } from './attacks.ts';
import { aftermathOf, verdictsOf } from './limits.ts';

const [attack] = ATTACKS as [Attack];

/** Adds a round in which every limit holds, except for the given values. */
function round(results: Results, given: Partial<Record<FigureKey, number>>, name = attack.name): void {
  const fine = { 'neighbour-kept-p99': 1, 'neighbour-fresh-p99': 1, 'neighbour-main-p99': 1 };
  const values = { ...fine, 'neighbour-operator': 100, 'neighbour-answers': 800, ...given };
  for (const [figure, value] of Object.entries(values)) results.add(figure as FigureKey, name, value);
}

function verdict(figure: FigureKey, value: number, control: Partial<Record<FigureKey, number>> = {}) {
  const results = new Results();
  round(results, control, CONTROLS.instance.name);
  round(results, { [figure]: value });
  return verdictsOf(results, attack).find((each) => each.figure === figure);
}

describe('the verdict on an attack', () => {
  it.each([
    ['neighbour-kept-p99', 20, 20.1],
    ['neighbour-fresh-p99', 25, 25.1],
    ['neighbour-main-p99', 60, 60.1],
    ['neighbour-operator', 1000, 1001],
    ['neighbour-answers', 300, 299],
  ] as const)('holds with a %s of %d, not of %d', (figure, good, bad) => {
    expect(verdict(figure, good)).toMatchObject({ holds: true });
    expect(verdict(figure, bad)).toMatchObject({ holds: false });
  });

  it.each([
    ['neighbour-kept-p99', 10, 30],
    ['neighbour-operator', 300, 1200],
  ] as const)(
    'takes its limit from the control where that waits long: %s of %d gives %d',
    (figure, control, limit) => {
      expect(verdict(figure, limit, { [figure]: control })).toMatchObject({ limit, holds: true });
    },
  );

  it('uses the median of the rounds', () => {
    const results = new Results();
    for (const p99 of [1, 100, 24]) round(results, { 'neighbour-fresh-p99': p99 });
    expect(verdictsOf(results, attack).every(({ holds }) => holds)).toBe(true);
  });

  it('leaves out what was not measured', () => {
    expect(verdictsOf(new Results(), attack)).toEqual([]);
  });
});

describe('the verdict on the time after the floods', () => {
  function left(moments: Record<string, readonly [files: number, mib: number]>) {
    const results = new Results();
    for (const [moment, [files, mib]] of Object.entries(moments)) {
      results.add('floods-files', moment, files);
      results.add('floods-memory', moment, mib);
    }
    return Object.values(aftermathOf(results)).map(({ holds }) => holds);
  }

  it('holds with as many descriptors as before, 64 MiB more, and less than 10 MiB more after a second time', () => {
    expect(left({ before: [50, 100], after: [50, 164], again: [50, 173.9] })).toEqual([true, true, true]);
  });

  it('does not hold with one descriptor or one MiB more', () => {
    expect(left({ before: [50, 100], after: [51, 165], again: [50, 175] })).toEqual([false, false, false]);
  });

  it('leaves out a second time that was not measured', () => {
    expect(left({ before: [50, 100], after: [50, 100] })).toHaveLength(2);
  });
});
