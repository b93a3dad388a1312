import type { Held } from './processes.ts';
import { largestOf, type Sample } from './samples.ts';

/** MiB in use after the garbage was collected: of the daemon and its children, and of its main thread's heap. */
export interface Memory {
  readonly pss: number;
  readonly heap: number;
}

/** After the first sixth of the time, a sixth after the last restart, and at the end. */
export type Moment = 'warm' | 'warmAgain' | 'end';

/** All that a soak has found out about the daemon. */
export interface Observed {
  /** Length of the load. */
  readonly seconds: number;
  readonly samples: readonly Sample[];
  /** When the daemon was restarted, in seconds since the beginning of the load. */
  readonly restarts: readonly number[];
  /** The memory at each of the moments. */
  readonly memory: Readonly<Record<Moment, Memory>>;
  /** While all guests only listen, before the load and after it. */
  readonly before: Held;
  readonly after: Held;
  /** What should not have happened, as texts. */
  readonly faults: Readonly<Record<Fault, Texts>>;
}

export type Fault = 'errors' | 'wrong' | 'failed' | 'behind' | 'left';

interface Texts {
  readonly count: number;
  /** The first of them. */
  readonly kept: readonly string[];
}

/** A fact that must hold at the end, with its figure. */
export interface Check {
  readonly name: string;
  readonly figure: string;
  /** Null: not judged, because the soak was too short for it. */
  readonly holds: boolean | null;
  readonly details: readonly string[];
}

/** By how much the memory may grow: the promise of docs/reliability.md. */
const FLAT = 0.1;
/** In a shorter soak, the memory of a daemon is still growing to its usual size. */
const FLAT_MINUTES_MIN = 10;
const S_PER_MIN = 60;
/**
 * The daemon moves SQLite's log into the database after 4 MiB. The largest change, of a profile that all instances
 * have, can come in addition, and the same again while the database is never idle.
 */
export const WAL_MIB_MAX = 16;

const MEMORY: Readonly<Record<keyof Memory, string>> = { pss: 'memory', heap: "the main thread's heap" };

const HELD: Readonly<Record<keyof Held, string>> = {
  sockets: 'sockets',
  pidfds: 'pidfds',
  others: 'other descriptors',
  threads: 'threads',
};

const FAULTS: Readonly<Record<Fault, string>> = {
  errors: 'errors in the log',
  wrong: 'data of another instance, and events that were lost, came twice or in another order',
  failed: 'requests that failed while a daemon ran',
  behind: 'values at the end that a guest was not told, or that the daemon has lost',
  left: 'processes, mounts and files left behind',
};

/** All checks, in order. */
export function checksOf(observed: Observed): Check[] {
  const { samples, before, after, faults } = observed;
  const wal = largestOf(samples, 'wal');
  return [
    ...(['pss', 'heap'] as const).flatMap((part) => [
      flat(`${MEMORY[part]} at the end, compared with its size after the first sixth of the time`, observed, [
        'warm',
        part,
      ]),
      flat(
        `${MEMORY[part]} at the end, compared with its size a sixth of the time after the last restart`,
        observed,
        ['warmAgain', part],
      ),
    ]),
    ...(Object.keys(HELD) as (keyof Held)[]).map((kind) =>
      noMore(`${HELD[kind]} after the load, no more than before it`, before[kind], after[kind]),
    ),
    check(
      `largest log of the database, at most ${WAL_MIB_MAX} MiB`,
      `${wal.toFixed(1)} MiB`,
      wal <= WAL_MIB_MAX,
    ),
    ...(Object.keys(FAULTS) as Fault[]).map((fault) => ({
      ...check(FAULTS[fault], `${faults[fault].count}`, faults[fault].count === 0),
      details: faults[fault].kept,
    })),
  ];
}

function flat(name: string, { seconds, memory }: Observed, [moment, part]: [Moment, keyof Memory]): Check {
  const [then, end] = [memory[moment][part], memory.end[part]];
  const change = end / then - 1;
  const percent = `${change < 0 ? '' : '+'}${(change * 100).toFixed(1)} %`;
  const figure = `${then.toFixed(1)} MiB, then ${end.toFixed(1)} MiB: ${percent}`;
  // Shrinking is no leak.
  const isFlat = check(name, figure, change <= FLAT);
  return seconds >= FLAT_MINUTES_MIN * S_PER_MIN ? isFlat : { ...isFlat, holds: null };
}

function noMore(name: string, before: number, after: number): Check {
  return check(name, `${before}, then ${after}`, after <= before);
}

function check(name: string, figure: string, holds: boolean): Check {
  return { name, figure, holds, details: [] };
}

/** The checks as lines for people. */
export function checkLines(checks: readonly Check[]): string[] {
  return checks.flatMap(({ name, figure, holds, details }) => [
    `${holds === null ? 'not judged' : holds ? 'holds' : 'FAILS'}: ${name}: ${figure}`,
    ...details.map((text) => `    ${text}`),
  ]);
}
