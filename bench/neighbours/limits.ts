import type { FigureKey } from '../figures.ts';
import type { Results } from '../frame/results.ts';
import { summarize } from '../frame/stats.ts';
import { ATTACKS, type Attack, COMPARED, CONTROLS } from './attacks.ts';

/** A limit on what others may notice of a neighbour in any attack. In ms; `neighbour-answers` is a count. */
export interface Limit {
  readonly figure: FigureKey;
  readonly atMost?: number;
  /** This many times the control's value, where that is more. */
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

/** How much more memory the daemon may hold when the time after the floods is over. */
export const AFTERMATH_MIB = 64;
/** How much the same floods may add a second time; the limit is exclusive. */
export const AGAIN_MIB = 10;

/** The result of one limit. */
export interface Verdict {
  readonly figure: FigureKey;
  readonly value: number;
  readonly limit: number;
  readonly holds: boolean;
}

/** A verdict for each measured limit of an attack. It uses the median of the rounds, as all ratios do. */
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

/** The limits for the time after the floods, by name: the value, the limit, and whether it holds. */
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

/** Whether all verdicts hold. */
export function holdsAll(verdicts: readonly Pick<Verdict, 'holds'>[]): boolean {
  return verdicts.every(({ holds }) => holds);
}

/** All attacks that were measured: controls first, then `COMPARED`, then the others. */
export function measured(results: Results): Attack[] {
  return [...Object.values(CONTROLS), ...COMPARED, ...ATTACKS].filter(({ name }) =>
    results.columns('neighbour-answers').includes(name),
  );
}
