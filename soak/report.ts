import { describeMachine, type Machine } from '../bench/frame/machine.ts';
import { readable, tableLines } from '../bench/frame/table.ts';
import { CHECKOUT } from '../bench/peers/porthole.ts';
import { type Check, checkLines, type Memory, type Moment } from './checks.ts';
import type { Plan } from './plan.ts';
import { WARM } from './restarts.ts';
import { largestOf, medianOf, type Sample, type Series } from './samples.ts';
import type { Soaked } from './soak.ts';

/** All that is kept of a soak. */
export interface Report {
  readonly machine: Machine;
  readonly plan: Omit<Plan, 'out' | 'record' | 'redraw'>;
  readonly seconds: number;
  readonly restarts: readonly number[];
  readonly counts: Readonly<Record<string, number>>;
  /** How often each warning or error was logged. */
  readonly logged: Readonly<Record<string, number>>;
  readonly checks: readonly Check[];
  /** MiB after the garbage was collected, at each moment. */
  readonly memory: Readonly<Record<Moment, Memory>>;
  readonly samples: readonly Sample[];
}

/** The rows of the table: a figure of the samples, with its title. */
const ROWS: readonly (readonly [Series, string])[] = [
  ['pss', 'memory of the daemon and its children, MiB (Pss)'],
  ['rss', 'resident memory of the daemon, MiB'],
  ['heap', 'heap and buffers of the main thread, MiB'],
  ['files', 'descriptors'],
  ['threads', 'threads'],
  ['wal', 'log of the database, MiB'],
  ['database', 'database, MiB'],
  ['keptP50', 'guest, kept connection, median, ms'],
  ['keptP99', 'guest, kept connection, p99, ms'],
  ['freshP99', 'guest, new connection, p99, ms'],
  ['mainP99', 'guest, answered by the main thread, p99, ms'],
  ['changeP50', 'operator, change of a key, median, ms'],
  ['changeP99', 'operator, change of a key, p99, ms'],
  ['delayP99', 'delay of the main thread, p99, ms'],
  ['delayMax', 'delay of the main thread, longest, ms'],
  ['busy', 'share of the machine that was busy'],
];

const DECIMALS = 1000;
/** The figures of a moment are medians over this part of the time before it: a minute of thirty. */
const MINUTE = 1 / 30;

/** Puts together what is kept of a soak. */
export async function describeSoak(plan: Plan, soaked: Soaked, checks: readonly Check[]): Promise<Report> {
  const { minutes, containers, adopted, rate, seed } = plan;
  const { tally, seconds, restarts, samples, logged, memory } = soaked;
  const { answers, events, changes, reconnects, conflicts, failed, whileKilled } = tally;
  return {
    machine: await describeMachine(CHECKOUT),
    plan: { minutes, containers, adopted, rate, seed },
    seconds,
    restarts: restarts.map(rounded),
    counts: {
      answers,
      events,
      changes,
      reconnects,
      conflicts,
      failed: failed.count,
      whileKilled: whileKilled.count,
    },
    logged,
    checks,
    memory,
    samples: samples.map(
      (sample) =>
        Object.fromEntries(
          Object.entries(sample).map(([name, value]) => [name, value === null ? null : rounded(value)]),
        ) as unknown as Sample,
    ),
  };
}

function rounded(value: number): number {
  return Math.round(value * DECIMALS) / DECIMALS;
}

/** The figures of a soak for people: near its beginning, at its end, and the largest of all. */
export function figureLines(report: Report): string[] {
  const { machine, plan, counts, samples, restarts } = report;
  const minute = (to: number) => [to - report.seconds * MINUTE, to] as const;
  const [warm, end] = [minute(report.seconds * WARM), minute(report.seconds)];
  const cell = (value: number | undefined) => (value === undefined ? '-' : readable(value));
  const rows = ROWS.map(([series, title]) => [
    title,
    cell(medianOf(samples, series, warm)),
    cell(medianOf(samples, series, end)),
    cell(largestOf(samples, series)),
  ]);
  const number = (name: string) => (counts[name] ?? 0).toLocaleString('en-US');
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB; ${machine.system}, Linux ${machine.kernel}; commit ${machine.commit}`,
    `${plan.minutes} minutes, ${plan.containers} containers, ${plan.adopted} adopted instances, ${restarts.length} restarts; seed ${plan.seed}`,
    `${number('answers')} answers to guests, ${number('changes')} changes of keys, ${number('events')} events, ${number('reconnects')} event streams opened again`,
    `${number('failed')} failed requests, and ${number('whileKilled')} while no daemon ran; ${number('conflicts')} times an operator was told to try again`,
    ...Object.entries(report.logged).map(([text, count]) => `logged ${count} times: ${text}`),
    '',
    ...tableLines(['', 'first sixth', 'end', 'largest'], rows),
  ];
}

/** The lines of the page about a soak: its figures and its checks. */
export function pageLines(report: Report): string[] {
  return [...figureLines(report), '', ...checkLines(report.checks)];
}
