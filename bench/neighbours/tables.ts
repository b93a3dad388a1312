import { FIGURES, type FigureKey } from '../figures.ts';
import type { Results } from '../frame/results.ts';
import { summarize } from '../frame/stats.ts';
import { readable, tableLines } from '../frame/table.ts';
import { type Attack, COMPARED, CONTROLS } from './attacks.ts';
import { aftermathOf, holdsAll, LIMITS, type Limit, measured, type Verdict, verdictsOf } from './limits.ts';

/** A column of the table: its head, and one figure, or two as `median / p99`. */
const COLUMNS: readonly { readonly head: string; readonly figures: readonly FigureKey[] }[] = [
  { head: 'kept connection', figures: ['neighbour-kept-median', 'neighbour-kept-p99'] },
  { head: 'new connection', figures: ['neighbour-fresh-median', 'neighbour-fresh-p99'] },
  { head: 'main thread', figures: ['neighbour-main-median', 'neighbour-main-p99'] },
  { head: 'config set', figures: ['neighbour-operator'] },
  { head: 'answers', figures: ['neighbour-answers'] },
  { head: 'missed', figures: ['neighbour-missed'] },
  { head: 'queue full', figures: ['neighbour-full'] },
  { head: 'files', figures: ['neighbour-files'] },
  { head: 'MiB', figures: ['neighbour-memory'] },
  { head: 'its own/s', figures: ['neighbour-attack'] },
];

/**
 * A table of what others noticed, with a row for each attack because there are more attacks than figures, and
 * tables of what the daemon holds afterwards.
 */
export function neighbourLines(results: Results): string[] {
  const attacks = measured(results);
  if (attacks.length === 0) return [];
  const head = ['ms: median / p99', ...COLUMNS.map((column) => column.head), ''];
  const rows = attacks.map((attack) => attackCells(results, attack));
  return ['', ...tableLines(head, [limitCells(), ...rows]), ...aftermathLines(results)];
}

function limitCells(): string[] {
  const limits = COLUMNS.map(({ figures }) => LIMITS.find(({ figure }) => figures.includes(figure)));
  return ['limit', ...limits.map((limit) => (limit ? limitText(limit) : '')), ''];
}

function limitText({ atLeast, atMost, timesControl }: Limit): string {
  if (atLeast !== undefined) return `>= ${atLeast}`;
  return timesControl === undefined ? `<= ${atMost}` : `<= ${atMost} or ${timesControl}x`;
}

function attackCells(results: Results, attack: Attack): string[] {
  const role = roleOf(attack);
  const verdicts = role === 'attack' ? verdictsOf(results, attack) : [];
  const cells = COLUMNS.map(({ figures }) => {
    const text = figures.map((figure) => cell(figure, results.of(figure, attack.name))).join(' / ');
    const isOver = verdicts.some(({ figure, holds }) => figures.includes(figure) && !holds);
    return isOver ? `${text} !` : text;
  });
  return [attack.name, ...cells, role === 'attack' ? verdictText(verdicts) : role];
}

function roleOf(attack: Attack): 'control' | 'compared' | 'attack' {
  if (Object.values(CONTROLS).includes(attack)) return 'control';
  return COMPARED.includes(attack) ? 'compared' : 'attack';
}

/** The median of the rounds; a whole number unless it is in ms. */
function cell(figure: FigureKey, values: readonly number[]): string {
  const median = summarize(values)?.median;
  if (median === undefined) return '-';
  return FIGURES[figure].unit === 'ms' ? readable(median) : Math.round(median).toLocaleString('en-US');
}

function verdictText(verdicts: readonly Pick<Verdict, 'holds'>[]): string {
  return holdsAll(verdicts) ? 'holds' : 'does not hold';
}

const MOMENTS = ['before', 'during', 'after', 'again'] as const;
const HELD = ['floods-files', 'floods-memory', 'floods-seconds'] as const;

function aftermathLines(results: Results): string[] {
  const rows = HELD.map((figure) => {
    const { title, unit } = FIGURES[figure];
    return [title, ...MOMENTS.map((moment) => momentCell(figure, results.of(figure, moment))), unit];
  });
  const judged = Object.entries(aftermathOf(results)).map(([name, verdict]) => {
    const numbers = [verdict.value, verdict.limit].map((value) => Math.round(value).toLocaleString('en-US'));
    return [name, ...numbers, verdictText([verdict])];
  });
  return [
    '',
    ...tableLines(['the daemon', ...MOMENTS, ''], rows),
    '',
    ...tableLines(['what is left', 'found', 'limit', ''], judged),
  ];
}

/** The largest value: the daemon needs resources for the highest peak of the floods. */
function momentCell(figure: FigureKey, values: readonly number[]): string {
  return values.length === 0 ? '-' : cell(figure, [Math.max(...values)]);
}

/** The same for programs to read. */
export function neighbourVerdicts(results: Results): Record<string, unknown> {
  const attacks = measured(results).map((attack) => {
    const verdicts = verdictsOf(results, attack);
    return [attack.name, { holds: holdsAll(verdicts), limits: verdicts }] as const;
  });
  return { attacks: Object.fromEntries(attacks), aftermath: aftermathOf(results) };
}
