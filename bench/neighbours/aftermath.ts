import { setTimeout as wait } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import type { Results } from '../frame/results.ts';
import type { Portholed } from '../peers/porthole.ts';
import { AFTERMATH_MIB, AGAIN_MIB } from './limits.ts';

/** Shortest wait: memory that is given back at once says nothing about memory that stays. */
const SETTLE_SECONDS = 10;
const LOOK_MS = 500;
const MS_PER_S = 1000;
const KIB_PER_MIB = 1024;

/** Files and memory of the daemon: before the floods, during each, after them, and after a second time. */
export class Aftermath {
  readonly #results: Results;
  readonly #daemon: Pick<Portholed, 'openFiles' | 'sharedKib'>;

  constructor(results: Results, daemon: Pick<Portholed, 'openFiles' | 'sharedKib'>) {
    this.#results = results;
    this.#daemon = daemon;
  }

  before(): void {
    this.#note('before');
  }

  /**
   * Looks every `LOOK_MS` while an attack runs, and keeps the largest values.
   * @returns the result of `work`
   */
  async during<T>(attack: string, work: Promise<T>): Promise<T> {
    const most = { files: 0, mib: 0 };
    const look = () => {
      const { files, mib } = this.#look();
      most.files = Math.max(most.files, files);
      most.mib = Math.max(most.mib, mib);
    };
    const timer = setInterval(look, LOOK_MS);
    const result = await work.finally(() => clearInterval(timer));
    this.#results.add('neighbour-files', attack, most.files);
    this.#results.add('neighbour-memory', attack, most.mib);
    this.#results.add('floods-files', 'during', most.files);
    this.#results.add('floods-memory', 'during', most.mib);
    return result;
  }

  /** Waits until the daemon is within its limits or its time is over. Does nothing after the second round. */
  async after({ plan, signal }: Pick<Bench, 'plan' | 'signal'>): Promise<void> {
    if (this.#first('again') !== undefined) return;
    const moment = this.#first('after') === undefined ? 'after' : 'again';
    const isAfter = moment === 'after';
    const mib = isAfter ? this.#least('before') + AFTERMATH_MIB : this.#least('after') + AGAIN_MIB;
    const files = this.#results.of('floods-files', 'before')[0] ?? 0;
    const started = performance.now();
    const seconds = () => (performance.now() - started) / MS_PER_S;
    while (seconds() < plan.aftermathSeconds) {
      const now = this.#look();
      if (seconds() >= SETTLE_SECONDS && now.files <= files && now.mib <= mib) break;
      await wait(LOOK_MS, undefined, { signal });
    }
    this.#results.add('floods-seconds', moment, seconds());
    this.#note(moment);
  }

  #note(moment: string): void {
    const found = this.#look();
    this.#results.add('floods-files', moment, found.files);
    this.#results.add('floods-memory', moment, found.mib);
  }

  #look(): { readonly files: number; readonly mib: number } {
    return { files: this.#daemon.openFiles(), mib: this.#daemon.sharedKib() / KIB_PER_MIB };
  }

  #first(moment: string): number | undefined {
    return this.#results.of('floods-memory', moment)[0];
  }

  #least(moment: string): number {
    return this.#first(moment) ?? 0;
  }
}
