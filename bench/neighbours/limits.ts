import type { FigureKey } from '../figures.ts';
import type { Results } from '../frame/results.ts';
import { summarize } from '../frame/stats.ts';
import { ATTACKS, type Attack, CONTROLS, FORKS } from './attacks.ts';

/** What others may notice of a neighbour, whatever it does. Milliseconds, but for answers. */
export interface Limit {
  readonly figure: FigureKey;
  readonly atMost?: number;
  /** So many times the control's, where that is more. */
  readonly timesControl?: number;
  readonly atLeast?: number;
}

export const LIMITS: readonly Limit[] = [
  { figure: 'neighbour-kept-p99', atMost: 20, timesControl: 3 },
  { figure: 'neighbour-fresh-p99', atMost: 25 },
  { figure: 'neighbour-main-p99', atMost: 60 },
  { figure: 'neighbour-operator', atMost: 1000, timesControl: 4 },
  { figure: 'neighbour-answers', atLeast: 300 },
];

/** What may be left of the floods when their time is over. */
export const AFTERMATH_MIB = 64;
/** What the same floods may add once more. */
export const AGAIN_MIB = 10;

/** How an attack went by one limit; null when it was not measured. */
export interface Verdict {
  readonly figure: FigureKey;
  readonly value: number;
  readonly limit: number;
  readonly holds: boolean;
}

/** Each limit of an attack. The middle of the rounds counts, as it does for all ratios. */
export function verdictsOf(results: Results, attack: Attack): Verdict[] {
  return LIMITS.flatMap((limit) => {
    const value = middle(results, limit.figure, attack.name);
    if (value === undefined) return [];
    const bound = boundOf(results, attack, limit);
    const holds = limit.atLeast === undefined ? value <= bound : value >= bound;
    return [{ figure: limit.figure, value, limit: bound, holds }];
  });
}

function boundOf(
  results: Results,
  { place }: Attack,
  { figure, atMost, timesControl, atLeast }: Limit,
): number {
  if (atLeast !== undefined) return atLeast;
  const control = middle(results, figure, CONTROLS[place].name) ?? 0;
  return Math.max(atMost ?? 0, (timesControl ?? 0) * control);
}

function middle(results: Results, figure: FigureKey, column: string): number | undefined {
  return summarize(results.of(figure, column))?.median;
}

/** What is asked of the time after the floods, by name: its value, its limit, and whether it holds. */
export function aftermathOf(results: Results): Record<string, Omit<Verdict, 'figure'>> {
  const at = (figure: FigureKey, column: string) => results.of(figure, column)[0];
  const found: Record<string, Omit<Verdict, 'figure'>> = {};
  const judge = (name: string, value: number, limit: number, holds = value <= limit) => {
    found[name] = { value, limit, holds };
  };
  const [filesBefore, filesAfter] = [at('floods-files', 'before'), at('floods-files', 'after')];
  const [before, after] = [at('floods-memory', 'before'), at('floods-memory', 'after')];
  const again = at('floods-memory', 'again');
  if (filesBefore !== undefined && filesAfter !== undefined)
    judge('descriptors after the floods', filesAfter, filesBefore);
  if (before !== undefined && after !== undefined)
    judge('MiB more than before', after - before, AFTERMATH_MIB);
  if (after !== undefined && again !== undefined)
    judge('MiB more after the same again', again - after, AGAIN_MIB, again - after < AGAIN_MIB);
  return found;
}

/** Whether an attack, or what is left of all, holds in every respect. */
export function holdsAll(verdicts: readonly Pick<Verdict, 'holds'>[]): boolean {
  return verdicts.every(({ holds }) => holds);
}

/** All that was attacked with, controls first, then what they are compared with. */
export function measured(results: Results): Attack[] {
  return [...Object.values(CONTROLS), ...Object.values(FORKS), ...ATTACKS].filter(({ name }) =>
    results.columns('neighbour-answers').includes(name),
  );
}
