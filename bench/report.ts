import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FIGURES, type FigureKey, PARTS, type Part } from './figures.ts';
import type { Machine } from './frame/machine.ts';
import type { Results } from './frame/results.ts';
import { summarize } from './frame/stats.ts';
import { readable, tableLines } from './frame/table.ts';
import { neighbourLines, neighbourVerdicts } from './neighbours/tables.ts';
import type { Plan } from './plan.ts';
import { goalText, partOf, ratiosOf } from './ratios.ts';

/** Order of the peers' columns; other columns come after them, ascending. */
const COLUMN_ORDER: readonly string[] = [
  'porthole',
  'porthole sized',
  'sources',
  'nginx',
  'nginx tuned',
  'node:http',
  'node',
  'true',
  'lxd',
  'lxd btrfs',
  'lxc',
  'single',
  'fleet',
  'etcd',
];

const PAGE = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const FILE = fileURLToPath(new URL('./results/latest.json', import.meta.url));

/** The parts that one block of the page has; `--record` writes those blocks whose parts were all measured. */
const BLOCKS: Readonly<Record<string, readonly Part[]>> = {
  figures: ['a', 'b', 'c', 'd', 'e', 'g', 'h', 'm'],
  fleet: ['f'],
  installed: ['l'],
  crowds: ['k'],
  restarts: ['o'],
  hooks: ['p'],
  neighbours: ['n'],
};

/** A report for people: the medians of some parts' figures, then their ratios. */
export function reportLines(
  machine: Machine,
  results: Results,
  parts: readonly Part[] = Object.keys(PARTS) as Part[],
): string[] {
  const { cpu, cores, memoryGib, system, kernel, versions, commit } = machine;
  return [
    `${cpu}, ${cores} cores, ${memoryGib} GiB; ${system}, Linux ${kernel}; commit ${commit}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    ...parts.flatMap((part) => partLines(part, results)),
    ...ratioLines(results, parts),
    ...[...results.remarks].map(([column, text]) => `${column}: ${text}`),
  ];
}

function partLines(letter: Part, results: Results): string[] {
  const keys = (Object.keys(FIGURES) as FigureKey[]).filter(
    (key) => FIGURES[key].part === letter && results.has(key),
  );
  if (keys.length === 0) return [];
  const title = PARTS[letter];
  if (letter === 'n') return ['', `${letter}. ${title}`, ...neighbourLines(results)];
  // Columns are peers, or numbers of instances or listeners, or cases: there is a table for each kind.
  const tables = Object.values(Object.groupBy(keys, (key) => columnKind(key, results)));
  return ['', `${letter}. ${title}`, ...tables.flatMap((each) => ['', ...figureLines(each ?? [], results)])];
}

function columnKind(key: FigureKey, results: Results): string {
  const columns = results.columns(key);
  if (columns.every((column) => /^\d+$/.test(column))) return 'number';
  return columns.every((column) => COLUMN_ORDER.includes(column)) ? 'peer' : 'case';
}

function figureLines(keys: readonly FigureKey[], results: Results): string[] {
  const all = new Set(keys.flatMap((key) => results.columns(key)));
  const columns = COLUMN_ORDER.filter((column) => all.has(column)).concat(
    [...all]
      .filter((column) => !COLUMN_ORDER.includes(column))
      .sort((one, other) => Number(one) - Number(other)),
  );
  const rows = keys.map((key) => [
    FIGURES[key].title,
    ...columns.map((column) => cell(results.of(key, column))),
    FIGURES[key].unit,
  ]);
  return tableLines(['', ...columns, ''], rows);
}

function cell(values: readonly number[]): string {
  const summary = summarize(values);
  return summary ? readable(summary.median) : '-';
}

function ratioLines(results: Results, parts: readonly Part[]): string[] {
  const rows = Object.entries(ratiosOf(results)).flatMap(([key, ratio]) =>
    ratio && parts.includes(partOf(key))
      ? [[key, ...[ratio.median, ratio.min, ratio.max].map(readable), goalText(key), verdict(ratio.holds)]]
      : [],
  );
  if (rows.length === 0) return [];
  return ['', 'Ratios', '', ...tableLines(['', 'median', 'min', 'max', 'goal', 'holds'], rows), ''];
}

function verdict(holds: boolean | undefined): string {
  if (holds === undefined) return '';
  return holds ? 'yes' : 'no';
}

/** Writes all results for programs to read. @returns the path of the file */
export function writeReport(machine: Machine, plan: Plan, results: Results): string {
  const figures = (Object.keys(FIGURES) as FigureKey[]).map((key) => [
    key,
    {
      ...FIGURES[key],
      columns: Object.fromEntries(
        results.columns(key).map((column) => {
          const values = results.of(key, column);
          return [column, { ...summarize(values), values }];
        }),
      ),
    },
  ]);
  const report = {
    machine,
    plan,
    ratios: ratiosOf(results),
    neighbours: neighbourVerdicts(results),
    figures: Object.fromEntries(figures),
    remarks: Object.fromEntries(results.remarks),
  };
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(FILE, `${JSON.stringify(report, null, 2)}\n`);
  return FILE;
}

/** Replaces the tables in the page about performance. @returns the path of the page */
export function recordTables(machine: Machine, results: Results): string {
  const blocks = Object.entries(BLOCKS).filter(([, parts]) =>
    parts.every((part) => isMeasured(part, results)),
  );
  const page = blocks.reduce(
    (text, [name, parts]) => withBlock(text, name, reportLines(machine, results, parts)),
    readFileSync(PAGE, 'utf8'),
  );
  writeFileSync(PAGE, page);
  return PAGE;
}

function isMeasured(part: Part, results: Results): boolean {
  return (Object.keys(FIGURES) as FigureKey[]).some((key) => FIGURES[key].part === part && results.has(key));
}

/** Replaces the lines between the marks of a block in a text. @throws when the text has no such marks */
export function withBlock(text: string, name: string, lines: readonly string[]): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const block = lines
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();
  const [before, after] = [text.split(start)[0], text.split(end)[1]];
  if (before === text || after === undefined) throw new Error(`the page has no place for ${name}`);
  return `${before}${start}\n\n\`\`\`\n${block}\n\`\`\`\n\n${end}${after}`;
}
