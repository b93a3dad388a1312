import { type NewProcesses, STORM_PER_SECOND } from '../core/new-processes.ts';
import type { FoundRun, Init, Weights } from '../runtimes/contract/runtime.ts';

/** Cgroups whose runs are remembered: an instance in a storm can make a new one at any time. */
const KNOWN_CGROUPS_MAX = 256;

/** A run that storms. */
interface StormRun {
  readonly run: FoundRun;
  /** New processes, at least. */
  readonly perSecond: number;
}

/** Finds the runs that storm, with few system calls: a report can name many cgroups, and comes each few milliseconds. */
export class StormRuns {
  readonly #weights: Pick<Weights, 'find'>;
  readonly #known = new Map<bigint, FoundRun>();

  constructor(weights: Pick<Weights, 'find'>) {
    this.#weights = weights;
  }

  /**
   * The runs of which a report has as many new processes as a storm. The largest cgroups come first, until the rest is
   * too little for a storm, also together with what was found.
   */
  in({ connectionsPerSecond, looked, byCgroup }: NewProcesses): StormRun[] {
    const perSecond = (count: number) => Math.round((connectionsPerSecond * count) / looked);
    const isStorm = (count: number) => perSecond(count) >= STORM_PER_SECOND;
    const counts = new Map<Init, { run: FoundRun; count: number }>();
    let left = [...byCgroup.values()].reduce((sum, count) => sum + count, 0);
    for (const [cgroup, count] of [...byCgroup].sort(([, one], [, other]) => other - one)) {
      const below = [...counts.values()].map((found) => found.count).filter((found) => !isStorm(found));
      if (!isStorm(left + Math.max(0, ...below))) break;
      left -= count;
      const run = this.#find(cgroup);
      if (run) counts.set(run.init, { run, count: count + (counts.get(run.init)?.count ?? 0) });
    }
    return [...counts.values()]
      .filter(({ count }) => isStorm(count))
      .map(({ run, count }) => ({ run, perSecond: perSecond(count) }));
  }

  /** Forgets the runs of cgroups. */
  forget(): void {
    this.#known.clear();
  }

  /** The kernel never gives the id of a cgroup to another one, nor moves a cgroup. */
  #find(cgroup: bigint): FoundRun | null {
    const known = this.#known.get(cgroup);
    if (known?.init.isAlive()) return known;
    const run = this.#weights.find(cgroup);
    if (this.#known.size >= KNOWN_CGROUPS_MAX) this.#known.clear();
    if (run) this.#known.set(cgroup, run);
    return run;
  }
}
