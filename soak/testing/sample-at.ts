import type { Sample } from '../samples.ts';

/** A sample of a daemon at work. */
export function sampleAt(at: number, some: Partial<Sample> = {}): Sample {
  return {
    at,
    ...{ pss: 150, rss: 140, heap: 30, files: 3200, threads: 13, wal: 1, database: 4 },
    ...{ keptP50: 0.2, keptP99: 2, freshP99: 3, mainP99: 5, changeP50: 4, changeP99: 12 },
    ...{ delayP99: 3, delayMax: 20, failed: 0, busy: 0.5 },
    ...some,
  };
}
