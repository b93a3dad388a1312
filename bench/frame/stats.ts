/** A figure's median over its rounds, and the range of the rounds. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Median, smallest and largest of some values; undefined when there are none. */
export function summarize(values: readonly number[]): Summary | undefined {
  if (values.length === 0) return undefined;
  return { median: percentile(values, 50), min: Math.min(...values), max: Math.max(...values) };
}

/** The value below which `percent` of the values lie, interpolated between two neighbours where needed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const rank = (percent / 100) * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]];
  if (low === undefined || high === undefined) throw new Error('a percentile of no values');
  return low + (high - low) * (rank - Math.floor(rank));
}

/** Each value divided by the other one of the same round, up to the end of the shorter list. */
export function quotients(over: readonly number[], under: readonly number[]): number[] {
  return over.slice(0, under.length).map((value, round) => value / (under[round] as number));
}
