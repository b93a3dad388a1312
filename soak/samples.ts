import { percentile } from '../bench/frame/stats.ts';
import type { Kind } from './tally.ts';

/** The daemon at one moment, and what has been met since the sample before. Sizes are MiB, times ms. */
export interface Sample {
  /** Seconds since the beginning of the load. */
  readonly at: number;
  /** Memory of the daemon and its children; a page that n processes share counts as 1/n. */
  readonly pss: number;
  /** Resident memory of the daemon alone. */
  readonly rss: number;
  /** Heap and buffers of the main thread; null when the daemon has not told. */
  readonly heap: number | null;
  readonly files: number;
  readonly threads: number;
  readonly wal: number;
  readonly database: number;
  readonly keptP50: number | null;
  readonly keptP99: number | null;
  readonly freshP99: number | null;
  readonly mainP99: number | null;
  readonly changeP50: number | null;
  readonly changeP99: number | null;
  /** How late the turns of the main thread were. */
  readonly delayP99: number | null;
  readonly delayMax: number | null;
  readonly failed: number;
  /** Share of the machine's processor time that was used, 0 to 1. */
  readonly busy: number;
}

/** The names of the figures of a sample that are measured over time. */
export type Series = Exclude<keyof Sample, 'at'>;

/** Percentiles of the requests of one sample; null for a kind without any. */
export function latenciesOf(
  times: Readonly<Record<Kind, readonly number[]>>,
): Pick<Sample, 'keptP50' | 'keptP99' | 'freshP99' | 'mainP99' | 'changeP50' | 'changeP99'> {
  const at = (kind: Kind, percent: number) =>
    times[kind].length === 0 ? null : percentile(times[kind], percent);
  return {
    keptP50: at('kept', 50),
    keptP99: at('kept', 99),
    freshP99: at('fresh', 99),
    mainP99: at('main', 99),
    changeP50: at('change', 50),
    changeP99: at('change', 99),
  };
}

/** The median of one figure over the samples of a stretch of time; undefined when there is none. */
export function medianOf(
  samples: readonly Sample[],
  series: Series,
  [from, to]: readonly [number, number],
): number | undefined {
  const values = samples.flatMap((sample) => {
    const value = sample.at >= from && sample.at <= to ? sample[series] : null;
    return value === null ? [] : [value];
  });
  return values.length === 0 ? undefined : percentile(values, 50);
}

/** The largest value of one figure over all samples; 0 when there is none. */
export function largestOf(samples: readonly Sample[], series: Series): number {
  return Math.max(0, ...samples.map((sample) => sample[series] ?? 0));
}
