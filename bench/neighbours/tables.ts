import type { FigureKey } from '../figures.ts';
import type { Results } from '../frame/results.ts';
import { summarize } from '../frame/stats.ts';
import { readable, tableLines } from '../frame/table.ts';
import { type Attack, CONTROLS } from './attacks.ts';
import { aftermathOf, holdsAll, LIMITS, measured, type Verdict, verdictsOf } from './limits.ts';

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

/** What others noticed of each attack: a row each, because there are more attacks than figures. */
export function neighbourLines(results: Results): string[] {
  const attacks = measured(results);
  if (attacks.length === 0) return [];
  const head = ['ms: median / p99', ...COLUMNS.map((column) => column.head), ''];
  const rows = attacks.map((attack) => attackCells(results, attack));
  return ['', ...tableLines(head, [limitCells(), ...rows]), ...aftermathLines(results)];
}

function limitCells(): string[] {
  const cells = COLUMNS.map(({ figures }) => {
    const limit = LIMITS.find(({ figure }) => figures.includes(figure));
    if (!limit) return '';
    if (limit.atLeast !== undefined) return `>= ${limit.atLeast}`;
    return limit.timesControl ? `<= ${limit.atMost} or ${limit.timesControl} controls` : `<= ${limit.atMost}`;
  });
  return ['limit', ...cells, ''];
}

function attackCells(results: Results, attack: Attack): string[] {
  const verdicts = verdictsOf(results, attack);
  const isControl = Object.values(CONTROLS).includes(attack);
  const cells = COLUMNS.map(({ figures }) => {
    const values = figures.map((figure) => summarize(results.of(figure, attack.name)));
    const text = values.map((value) => (value ? readable(value.median) : '-')).join(' / ');
    const isOver = verdicts.some(({ figure, holds }) => figures.includes(figure) && !holds);
    return isOver && !isControl ? `${text} !` : text;
  });
  return [attack.title, ...cells, isControl ? '' : verdictText(verdicts)];
}

function verdictText(verdicts: readonly Pick<Verdict, 'holds'>[]): string {
  return holdsAll(verdicts) ? 'holds' : 'does not hold';
}

const MOMENTS = ['before', 'during', 'after', 'again'] as const;

function aftermathLines(results: Results): string[] {
  if (!results.has('floods-files')) return [];
  const rows = (['floods-files', 'floods-memory', 'floods-seconds'] as const).map((figure) => [
    {
      'floods-files': 'descriptors',
      'floods-memory': 'memory (Pss), MiB',
      'floods-seconds': 's after the floods',
    }[figure],
    ...MOMENTS.map((moment) => {
      const values = results.of(figure, moment);
      return values.length === 0 ? '-' : readable(Math.max(...values));
    }),
  ]);
  const judged = Object.entries(aftermathOf(results)).map(([name, { value, limit, holds }]) => [
    name,
    readable(value),
    readable(limit),
    holds ? 'holds' : 'does not hold',
  ]);
  return [
    '',
    ...tableLines(['the daemon', ...MOMENTS], rows),
    '',
    ...tableLines(['what is left', 'found', 'at most', ''], judged),
  ];
}

/** The same for programs. */
export function neighbourVerdicts(results: Results): Record<string, unknown> {
  const attacks = measured(results).map((attack) => {
    const verdicts = verdictsOf(results, attack);
    return [attack.name, { holds: holdsAll(verdicts), limits: verdicts }] as const;
  });
  return { attacks: Object.fromEntries(attacks), aftermath: aftermathOf(results) };
}
