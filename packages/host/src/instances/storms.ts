import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { within } from '../base/within.ts';
import type { NewProcesses } from '../core/new-processes.ts';
import type { FoundRun, Init, Weights } from '../runtimes/contract/runtime.ts';
import { StormRuns } from './storm-runs.ts';

/**
 * A storm has begun when two reports within this time name the same run: one report looks at so few connections that a
 * harmless instance beside a storm may have too many of them by chance.
 */
const AGAIN_MS = 250;
/** A run has its weight back when it has not stormed for this long. */
export const CALM_MS = 10_000;
/**
 * If it storms again within the same time after that, it has to be calm for twice as long, up to this. On busy
 * processors the low weight itself can make a storm look calm, and each new one delays others until it is noticed.
 */
export const CALM_MS_MAX = 5 * 60_000;
export const LOOK_MS = 1000;
/** How long the end of the daemon waits; the next daemon raises the weights that are left. */
const END_MS_MAX = 2000;

/** What the care for storms needs. */
export interface StormNeeds {
  readonly weights: Weights;
  /** The weight of a run while it storms, in percent of the usual weight of a cgroup. */
  readonly percent: number;
  readonly log: Log;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
}

interface Storm extends FoundRun {
  /** When it was last noticed. */
  lastMs: number;
  /** How long it has to be calm. */
  readonly calmMs: number;
  isLowered: boolean;
  /** The changes of the weight, one after the other. */
  work: Promise<void>;
  isEnding: boolean;
}

/** Lowers the weights of instances while they are in a fork storm, so that others do not wait for a processor. */
export class Storms {
  readonly #needs: StormNeeds;
  readonly #runs: StormRuns;
  readonly #storms = new Map<Init, Storm>();
  /** Runs that stormed lately: how long they had to be calm, and when they had their weight back. */
  readonly #past = new Map<Init, { readonly calmMs: number; readonly endMs: number }>();
  readonly #timer = setInterval(() => this.#look(), LOOK_MS).unref();
  /** The runs that the last report with such runs has named, unless they were known to storm. */
  #suspects: { readonly inits: ReadonlySet<Init>; readonly atMs: number } = { inits: new Set(), atMs: 0 };
  #stopped = false;

  constructor(needs: StormNeeds) {
    this.#needs = needs;
    this.#runs = new StormRuns(needs.weights);
  }

  /** Takes a report of the fast lane. */
  note(found: NewProcesses): void {
    if (this.#stopped) return;
    const nowMs = this.#needs.nowMs();
    const { inits: before, atMs } = this.#suspects;
    const suspects = new Set<Init>();
    for (const { run, perSecond } of this.#runs.in(found)) {
      const storm = this.#storms.get(run.init);
      if (storm) storm.lastMs = nowMs;
      else if (before.has(run.init) && nowMs - atMs <= AGAIN_MS) this.#begin(run, perSecond, nowMs);
      else suspects.add(run.init);
    }
    this.#suspects = { inits: suspects, atMs: nowMs };
  }

  /** Raises all weights again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    const ends = [...this.#storms.values()].map((storm) => this.#end(storm));
    await within(END_MS_MAX, Promise.all(ends));
  }

  #begin(run: FoundRun, perSecond: number, nowMs: number): void {
    const past = this.#past.get(run.init);
    const storm: Storm = {
      ...run,
      lastMs: nowMs,
      calmMs: past ? Math.min(2 * past.calmMs, CALM_MS_MAX) : CALM_MS,
      isLowered: false,
      isEnding: false,
      work: Promise.resolve(),
    };
    this.#storms.set(run.init, storm);
    storm.work = this.#lower(storm, perSecond);
  }

  async #lower(storm: Storm, processesPerSecond: number): Promise<void> {
    const { weights, percent, log } = this.#needs;
    const { instanceId } = storm;
    const fields = { instanceId, processesPerSecond };
    try {
      storm.isLowered = await weights.lower(storm, percent);
      if (storm.isLowered)
        log.warn({ ...fields, percent }, 'lowered the weight of an instance in a fork storm');
    } catch (error) {
      const reason = messageOf(error);
      log.warn({ ...fields, reason }, 'could not lower the weight of an instance in a fork storm');
    }
  }

  #look(): void {
    if (this.#storms.size === 0) this.#runs.forget();
    const nowMs = this.#needs.nowMs();
    for (const storm of this.#storms.values()) {
      if (!storm.isEnding && nowMs - storm.lastMs >= storm.calmMs) void this.#end(storm);
    }
    for (const [init, { calmMs, endMs }] of this.#past) if (nowMs - endMs >= calmMs) this.#past.delete(init);
  }

  /** Never fails. A storm that begins meanwhile is noticed when this is over. */
  #end(storm: Storm): Promise<void> {
    storm.isEnding = true;
    storm.work = storm.work
      .then(() => this.#raise(storm))
      .finally(() => {
        this.#storms.delete(storm.init);
        this.#past.set(storm.init, { calmMs: storm.calmMs, endMs: this.#needs.nowMs() });
      });
    return storm.work;
  }

  async #raise(storm: Storm): Promise<void> {
    if (!storm.isLowered) return;
    const { weights, log } = this.#needs;
    const { instanceId } = storm;
    try {
      await weights.raise(storm);
      if (storm.init.isAlive())
        log.info({ instanceId }, 'gave an instance its weight back after a fork storm');
    } catch (error) {
      const reason = messageOf(error);
      log.warn({ instanceId, reason }, 'could not give an instance its weight back');
    }
  }
}
